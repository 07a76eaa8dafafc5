"""Builders of documents as files: a test says only what it is about."""

from pathlib import Path
from typing import Any

import yaml


def an_article(folder: Path, name: str = "dry-well", *, text: str = "", **changes: Any) -> Path:
    """A runbook in the folder; a change to None leaves the field out."""
    fields: dict[str, Any] = {
        "id": name,
        "kind": "runbook",
        "title": f"The {name} runs empty",
        "cause": "data_quality",
        "action": "monitor",
        "severity": "low",
        "tags": ["water"],
    }
    kept = {key: value for key, value in {**fields, **changes}.items() if value is not None}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.md"
    body = text or "The bucket comes up empty.\n\n## Do\n\nWait for rain."
    file.write_text(f"---\n{yaml.safe_dump(kept)}---\n{body}\n", encoding="utf-8")
    return file

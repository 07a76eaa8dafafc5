"""ConfigurationCache files in the working directory of a test."""

from pathlib import Path
from typing import Any

from tests.builders import a_spec


def watch(model: str, **changes: Any) -> None:
    """Configure a model in `conf/local` (JSON is YAML)."""
    folder = Path("conf/local/models")
    folder.mkdir(parents=True, exist_ok=True)
    spec = a_spec(name=model, **changes)
    (folder / f"{model.replace('/', '-')}.yml").write_text(spec.model_dump_json(exclude_none=True))

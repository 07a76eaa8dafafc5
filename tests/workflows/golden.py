"""Golden histories: kept without anything that tells of the machine they were made on."""

import os
import re
from pathlib import Path

from temporalio.client import WorkflowHistory

_STACK = re.compile(r'("stackTrace": ?)"(?:[^"\\]|\\.)*"')
_PROCESS = re.compile(r'"\d+@[^"]*"')


def recording() -> bool:
    """Whether histories shall be kept: TRIMTAB_RECORD_HISTORIES=1 pytest tests/workflows."""
    return bool(os.environ.get("TRIMTAB_RECORD_HISTORIES"))


def keep(history: WorkflowHistory, path: Path) -> None:
    """Write a history to a file, for later versions to replay."""
    path.parent.mkdir(parents=True, exist_ok=True)
    anonymous = _PROCESS.sub('"worker"', _STACK.sub(r'\1""', history.to_json()))
    path.write_text(f"{anonymous}\n", encoding="utf-8")

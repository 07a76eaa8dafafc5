"""Golden histories: recorded once, without anything that tells of the machine, and replayed since.

`TRIMTAB_RECORD_HISTORIES=1 pytest tests/workflows` records them anew.
"""

import os
import re
from pathlib import Path
from typing import Final

from temporalio.client import WorkflowHistory

HISTORIES: Final = Path(__file__).parent / "histories"
_STACK = re.compile(r'("stackTrace": ?)"(?:[^"\\]|\\.)*"')
_PROCESS = re.compile(r'"\d+@[^"]*"')


def golden_path(name: str) -> Path:
    """Return the file of a golden history, such as "remediation/retrained"."""
    return HISTORIES / f"{name}.json"


def record_golden(history: WorkflowHistory, name: str | None) -> None:
    """Write the history under a name; do nothing without a name, or unless recording is on."""
    if name is None or not os.environ.get("TRIMTAB_RECORD_HISTORIES"):
        return
    path = golden_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    anonymous = _PROCESS.sub('"worker"', _STACK.sub(r'\1""', history.to_json()))
    path.write_text(f"{anonymous}\n", encoding="utf-8")


def read_golden(name: str) -> WorkflowHistory:
    """Return a golden history."""
    return WorkflowHistory.from_json(name, golden_path(name).read_text(encoding="utf-8"))

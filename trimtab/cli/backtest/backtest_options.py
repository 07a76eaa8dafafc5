"""What was asked of a backtest on the command line."""

from pathlib import Path
from typing import NamedTuple


class Wanted(NamedTuple):
    """The options of `trimtab demo` and `trimtab backtest`."""

    yes: bool = False
    keep: bool = False
    report: Path | None = None
    analyst: str | None = None
    rehearsal: bool = False
    """Whether a person is asked in the end, where nobody had to be before."""

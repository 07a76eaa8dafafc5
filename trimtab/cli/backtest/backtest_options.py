"""The options that `trimtab demo` and `trimtab backtest` share."""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

YesOption = Annotated[
    bool,
    typer.Option(
        "--yes", "-y", help="Answer for the person: approve with the `temporal` command shown."
    ),
]
RespondOption = Annotated[
    str | None,
    typer.Option(
        "--respond",
        metavar="COMMAND",
        help="Answer for the person by a program: it gets each question as JSON on its standard"
        " input, and prints approve or reject.",
    ),
]
KeepOption = Annotated[
    bool, typer.Option("--keep", help="Leave the stack running afterwards, until Ctrl-C.")
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report", metavar="FILE", dir_okay=False, help="Write the report as JSON to this file."
    ),
]
AnalystOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="Who investigates: analyst/rules (no language model), ollama/<model> or gemini-….",
    ),
]


class BacktestOptions(NamedTuple):
    """The values of these options."""

    yes: bool = False
    keep: bool = False
    report: Path | None = None
    analyst: str | None = None
    respond: str | None = None

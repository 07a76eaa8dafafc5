"""`trimtab backtest`: replay a model's own history through the whole of Trimtab."""

from typing import Annotated

import typer

from trimtab.cli.backtest.backtest_options import (
    AnalystOption,
    BacktestOptions,
    KeepOption,
    ReportOption,
    RespondOption,
    YesOption,
)
from trimtab.cli.progress import show_progress_when_slow


def backtest(
    *,
    name: Annotated[str, typer.Argument(metavar="MODEL", help="A model of `trimtab init`.")],
    yes: YesOption = False,
    keep: KeepOption = False,
    report: ReportOption = None,
    analyst: AnalystOption = None,
    respond: RespondOption = None,
) -> int:
    """Replay a model's history and show what Trimtab would have done.

    Trains on the first windows and replays the rest as if they were production, in a stack of its
    own: nothing of yours is changed. Without --yes, --respond and a terminal, incidents that wait
    for a person get no answer and expire.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.backtest.run import run_backtest

    return run_backtest(name, BacktestOptions(yes, keep, report, analyst, respond))

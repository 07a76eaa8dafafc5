"""`trimtab demo`: real drift in real data, from detection to record, on this machine."""

from trimtab.cli.backtest.backtest_options import (
    AnalystOption,
    BacktestOptions,
    KeepOption,
    ReportOption,
    YesOption,
)
from trimtab.cli.progress import show_progress_when_slow


def demo(
    *,
    yes: YesOption = False,
    keep: KeepOption = False,
    report: ReportOption = None,
    analyst: AnalystOption = None,
) -> int:
    """Show on real data how Trimtab detects drift, decides, acts, verifies and records.

    Replays the car parks of Birmingham, autumn 2016, week by week, through Temporal, a Redis
    stream, MLflow and Chroma, all on this machine. If no week needed a person, one week is played
    again under a policy that asks. Without a terminal it answers for the person (--yes).
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.demo.run import run_demo

    return run_demo(BacktestOptions(yes, keep, report, analyst))

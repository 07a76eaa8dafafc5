"""`trimtab`: the front door for people. Commands are imported when they are called."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from trimtab.cli.audit.command import app as audit_app
from trimtab.cli.backtest.backtest_options import Wanted
from trimtab.cli.compare.command import compare
from trimtab.cli.doctor.command import doctor
from trimtab.cli.events.command import app as events_app
from trimtab.cli.init.command import init
from trimtab.cli.monitor.command import monitor
from trimtab.cli.schedule.command import schedule
from trimtab.cli.train.command import train
from trimtab.cli.typer_app import CommandLine
from trimtab.cli.up.command import up

DEMO_MODEL = "birmingham-parking"
_LOG_WIDTH = 120
"""Columns of what goes to a file or a pipe."""

app = CommandLine(
    name="trimtab",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help=(
        "Detects drift in production models, investigates it, decides by fixed rules whether it "
        "may act, acts on the model registry, verifies, undoes what did not help, and records it "
        "all.\n\n"
        "Start with [bold]trimtab compare OLD NEW[/] on two tables, or [bold]trimtab demo[/]; then "
        "[bold]trimtab init[/] and [bold]trimtab backtest[/] on your own history."
    ),
)

Yes = Annotated[
    bool,
    typer.Option(
        "--yes", "-y", help="Play the person: approve by running the `temporal` command shown."
    ),
]
Keep = Annotated[
    bool, typer.Option("--keep", help="Leave the stack up afterwards, until Ctrl-C, to browse.")
]
Report = Annotated[
    Path | None,
    typer.Option("--report", dir_okay=False, help="Write the report as JSON to this file."),
]
Analyst = Annotated[
    str | None,
    typer.Option(help="Who deliberates: analyst/rules, ollama/<model> or gemini-…"),
]


def _tell_version(asked: bool) -> None:  # noqa: FBT001 - Typer's form of a callback
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - only asked for here

        typer.echo(f"trimtab {version('trimtab')}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[  # noqa: FBT002 - its callback answers
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Say which it is."),
    ] = False,
) -> None:
    """Hold what all commands share."""


@app.command()
def demo(
    yes: Yes = False,  # noqa: FBT002 - a flag of the command line
    keep: Keep = False,  # noqa: FBT002 - as above
    report: Report = None,
    analyst: Analyst = None,
) -> None:
    """Watch real drift in real data be detected, decided, acted upon, verified and recorded.

    Replays the car parks of Birmingham, autumn 2016, week by week, through Temporal, a Redis
    stream, MLflow and Chroma, all on this machine. Where nobody had to be asked, one week is
    played again under a policy that asks. Without a terminal it answers itself (--yes).
    """
    _backtest(
        DEMO_MODEL, Wanted(yes or not _at_a_terminal(), keep, report, analyst, rehearsal=True)
    )


@app.command()
def backtest(
    name: Annotated[str, typer.Argument(help="A model of `trimtab init`.")],
    yes: Yes = False,  # noqa: FBT002 - a flag of the command line
    keep: Keep = False,  # noqa: FBT002 - as above
    report: Report = None,
    analyst: Analyst = None,
) -> None:
    """Learn from a model's own history what Trimtab would have done, before it is let near it.

    Trains on the first windows and replays the rest as production, in a stack of its own: nothing
    of yours is touched. Without --yes and without a terminal nobody answers, and what waits for a
    person expires.
    """
    _backtest(name, Wanted(yes, keep, report, analyst))


app.command(needs_application=False)(compare)
app.command()(init)
app.command()(doctor)
app.command()(train)
app.command()(up)
app.command()(monitor)
app.command()(schedule)
app.add_typer(audit_app, name="audit")
app.add_typer(events_app, name="events")


def _backtest(name: str, wanted: Wanted) -> None:
    from trimtab.cli.backtest.run import run_backtest  # noqa: PLC0415 - imports Temporal's client

    console = Console() if sys.stdout.isatty() else Console(width=_LOG_WIDTH)
    with faults_told():
        result = run_backtest(name, wanted, console=console)
    if not result.audit_valid:
        console.print("[red]The audit log does not verify.[/]")
        raise typer.Exit(1)


@contextmanager
def faults_told() -> Iterator[None]:
    """Say what went wrong in the words of whoever noticed it, without a traceback.

    Exit codes: 2 for bad input or configuration, 1 for what failed on the way, 128 and
    the signal's number for what a signal ended: 130 for Ctrl-C.
    """
    from trimtab.cli.backtest.backtest_stack import StageFailed  # noqa: PLC0415 - as above
    from trimtab.cli.backtest.replay import ReplayFailed  # noqa: PLC0415 - as slow as the command itself
    from trimtab.cli.backtest.respondent import AnswerFailed  # noqa: PLC0415 - as above
    from trimtab.cli.signals import Interrupted  # noqa: PLC0415 - as above
    from trimtab.contracts.ports import Refused, Unavailable  # noqa: PLC0415 - as above
    from trimtab.runtime.errors import BadConfigurationError, StackError  # noqa: PLC0415 - as above

    try:
        yield
    except BadConfigurationError as error:
        _tell("The configuration is wrong", error.faults)
        raise typer.Exit(2) from None
    except (
        AnswerFailed, ReplayFailed, StageFailed, StackError, Refused, Unavailable,
    ) as error:  # fmt: skip
        _tell("It went wrong", [str(error)])
        raise typer.Exit(1) from None
    except Interrupted as ended:
        _tell("Interrupted", [f"{ended}: everything that was started has been ended"])
        raise typer.Exit(ended.code) from None
    except KeyboardInterrupt:
        _tell("Interrupted", ["everything that was started has been ended"])
        raise typer.Exit(130) from None


def _tell(title: str, faults: list[str]) -> None:
    console = Console(stderr=True)
    console.print(f"[bold red]{title}:[/]")
    for fault in faults:
        console.print(f"  • {fault}", markup=False, highlight=False, soft_wrap=True)


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def main() -> None:
    """Run the command line."""
    app()

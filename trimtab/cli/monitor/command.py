"""`trimtab monitor`: look at one window of a model, in the terminal or as a page."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from trimtab.cli.broken_pipe import readers_may_go

if TYPE_CHECKING:  # what these import takes seconds, and `trimtab --help` needs none
    from collections.abc import Callable

    from trimtab.charts.views import View
    from trimtab.contracts.drift import DriftFinding
    from trimtab.contracts.model import ModelSpec

DRIFT: Final = 1
BAD_INPUT: Final = 2
NOT_ENOUGH: Final = 3
UNAVAILABLE: Final = 69
"""What Unix calls EX_UNAVAILABLE: nothing was found out."""
OWN_FAULT: Final = 70
"""What Unix calls EX_SOFTWARE: a fault of ours must not look like drift."""
INTERRUPTED: Final = 130
_LOG_WIDTH: Final = 120
"""Columns of what goes to a file or a pipe."""


def monitor(
    name: Annotated[str, typer.Argument(help="A configured model.")],
    window: Annotated[
        str,
        typer.Option(
            help="START/END, the day or instant when a window begins, or `last`: the newest whole"
            " window of the history."
        ),
    ] = "last",
    html: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write a page with plots of both distributions."),
    ] = None,
    publish: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option(
            "--publish", help="Publish an event as a scheduled run would; else nothing is."
        ),
    ] = False,
) -> None:
    """Judge one window of a model as a scheduled run would, and show it.

    Nothing is published without --publish; the window is recorded in MLflow either way.

    Exit code 0: no drift; 1: drift; 2: bad input; 3: not enough data; 69: a store did not answer.
    """
    with _faults_told(name):
        report = _judge(name, window, publish=publish)
        view = _view(report)
        _show(view, report)
        if html is not None:
            _write(view, report, html)
    raise typer.Exit(_code(report))


def _judge(name: str, window: str, *, publish: bool) -> dict[str, Any]:
    from rich.console import Console  # noqa: PLC0415 - see above

    from trimtab.cli.progress import told_when_slow  # noqa: PLC0415 - as above
    from trimtab.runtime.models import load_model_spec  # noqa: PLC0415 - as above

    spec = load_model_spec(name)
    with told_when_slow(Console(stderr=True)) as say:
        say("loading what pipelines need")
        from trimtab.pipelines.session import run_pipeline  # noqa: PLC0415 - as above

        start, end = _window(window, spec, say=say)
        say(f"judging {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}")
        return run_pipeline(
            "monitoring",
            {
                "model": name,
                "start": start.isoformat(),
                "end": end.isoformat(),
                "publish": publish,
                "detailed": True,
            },
        )


def _window(text: str, spec: "ModelSpec", *, say: "Callable[[str], None]") -> tuple[Any, Any]:
    from trimtab.cli.window_option import LAST, instant, window_of  # noqa: PLC0415 - see above
    from trimtab.contracts.ports import Refused  # noqa: PLC0415 - as above
    from trimtab.pipelines.session import run_pipeline  # noqa: PLC0415 - as above

    if text != LAST:
        return window_of(text, spec)
    say("looking for the last window")
    windows: Any = run_pipeline("timeline", {"model": spec.name})["windows"]
    if not windows:
        msg = f"the history of {spec.name!r} does not fill a single window of {spec.window}"
        raise Refused(msg)
    return instant(windows[-1]["start"], "start"), instant(windows[-1]["end"], "end")


def _finding(report: dict[str, Any]) -> "DriftFinding":
    from trimtab.contracts.drift import DriftFinding  # noqa: PLC0415 - see above

    return DriftFinding.model_validate(report["shown"])


def _view(report: dict[str, Any]) -> "View":
    """As the charts draw a finding, with the verdict that the exit code gives too."""
    from dataclasses import replace  # noqa: PLC0415 - see above

    from trimtab.charts.finding_view import build_finding_view  # noqa: PLC0415 - as above

    view, code = build_finding_view(_finding(report)), _code(report)
    if code != DRIFT:
        view = replace(view, facts=tuple(each for each in view.facts if each[0] != "severity"))
    if code == NOT_ENOUGH:
        return replace(view, state="not enough data", alarming=False, summary=f"{report['note']}.")
    if code == DRIFT and view.state == "no drift":
        summary = f"{_trouble(_finding(report))}; {view.summary}"
        return replace(view, state="drift", alarming=True, summary=summary)
    return view


def _trouble(finding: "DriftFinding") -> str:
    """What is wrong though no column drifted by itself."""
    if finding.performance and finding.performance.degraded:
        return f"the champion's {finding.performance.metric} degraded"
    if finding.estimate and finding.estimate.degraded:
        return f"the champion's {finding.estimate.metric} is expected to have degraded"
    if finding.multivariate and finding.multivariate.drifted:
        return "rows as a whole differ from the reference"
    return "the make-up of the data changed"


def _code(report: dict[str, Any]) -> int:
    from trimtab.detection.performance.finding import shows_drift  # noqa: PLC0415 - see above

    if report["rows"] < report["minimum_rows"]:
        return NOT_ENOUGH
    return DRIFT if shows_drift(_finding(report)) else 0


def _show(view: "View", report: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415 - see above

    from trimtab.charts.terminal import print_view  # noqa: PLC0415 - as above

    wide = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(width=None if wide else _LOG_WIDTH)
    with readers_may_go():
        print_view(view, console)
        console.print(f"\n{_outcome(report)}", highlight=False, soft_wrap=True)


def _outcome(report: dict[str, Any]) -> str:
    from trimtab.contracts.monitoring import (  # noqa: PLC0415 - see above
        Suppression,
        SuppressionReason,
        format_suppression,
    )

    if report["event"]:
        return f"Event {report['event']['id']} was published."
    if report["suppression"] is None:
        return "There is nothing to publish."
    suppression = Suppression.model_validate(report["suppression"])
    if suppression.reason is SuppressionReason.PUBLISHING_OFF:
        return "Nothing was published. --publish publishes the event."
    return f"Not published, recorded in MLflow: {format_suppression(suppression)}."


def _write(view: "View", report: dict[str, Any], path: Path) -> None:
    from trimtab.charts.page import write_page  # noqa: PLC0415 - see above
    from trimtab.detection.profiles.window_profile import WindowProfile  # noqa: PLC0415 - as above

    before, now = (WindowProfile.model_validate(each) for each in report["profiles"])
    write_page(view, path, profiles=(before, now))
    with readers_may_go():
        typer.echo(f"Page: {path}")


@contextmanager
def _faults_told(name: str) -> Iterator[None]:
    """Whatever goes wrong has an exit code of its own, for 1 means drift."""
    from trimtab.contracts.ports import Refused, Unavailable  # noqa: PLC0415 - see above
    from trimtab.runtime.errors import BadConfigurationError  # noqa: PLC0415 - as above

    try:
        yield
    except BadConfigurationError as error:
        _tell("Bad input", "; ".join(error.faults), BAD_INPUT)
    except Refused as error:
        _tell("Bad input", f"{error}{_remedy(str(error), name)}", BAD_INPUT)
    except OSError as error:
        fault = f"{error.filename or 'a file'}: {error.strerror or error}: name another"
        _tell("Bad input", fault, BAD_INPUT)
    except Unavailable as error:
        _tell("Nothing was found out", str(error), UNAVAILABLE)
    except KeyboardInterrupt:
        _tell("Interrupted", "the window was not judged", INTERRUPTED)
    except Exception:  # noqa: BLE001 - see OWN_FAULT
        from rich.console import Console  # noqa: PLC0415 - as above

        Console(stderr=True).print_exception()
        _tell("A fault of Trimtab itself", "please report what stands above", OWN_FAULT)


def _remedy(fault: str, name: str) -> str:
    """How to get a champion, where that is what is missing."""
    if "no champion" not in fault:
        return ""
    return f" (`trimtab train {name}`), or point the alias `champion` at a version in MLflow"


def _tell(title: str, fault: str, code: int) -> None:
    from rich.console import Console  # noqa: PLC0415 - see above
    from rich.text import Text  # noqa: PLC0415 - as above

    console = Console(stderr=True)
    console.print(Text.assemble((f"{title}: ", "bold red"), fault), soft_wrap=True)
    raise typer.Exit(code)

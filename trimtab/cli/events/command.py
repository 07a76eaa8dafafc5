"""`trimtab events import`: let another detector's report open an incident."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from trimtab.cli.events.dead_letters import dead, retry
from trimtab.cli.typer_app import CommandLine

if TYPE_CHECKING:  # what these import takes seconds, and `trimtab --help` needs none
    from collections.abc import Iterator

    from rich.console import Console

    from trimtab.adapters.reports.report import ForeignReport
    from trimtab.contracts.drift import DriftEvent, DriftFinding, Window
    from trimtab.contracts.model import ModelSpec

app = CommandLine(
    help="Drift events: what others' detectors found, and what could not be read.",
    no_args_is_help=True,
)


class Source(StrEnum):
    """Who wrote the file."""

    EVIDENTLY = "evidently"
    NANNYML = "nannyml"
    CLOUDEVENTS = "cloudevents"


class Grave(StrEnum):
    """How grave a person calls it: the names of `contracts.drift.Severity`."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


File = Annotated[Path, typer.Argument(help="The report.", dir_okay=False)]
From = Annotated[Source, typer.Option("--from", help="Which software wrote it.")]
Model = Annotated[
    str | None, typer.Option(help="The configured model that it is about; CloudEvents name it.")
]
Span = Annotated[
    str | None,
    typer.Option(help="START/END of what was looked at, ISO 8601, where the report does not tell."),
]
Reference = Annotated[
    str | None, typer.Option(help="START/END of what that was compared with, as above.")
]
Gravity = Annotated[Grave, typer.Option(help="Reports of others do not rate the harm: rate it.")]
Publish = Annotated[
    bool, typer.Option("--publish/--dry-run", help="Publish to the stream, or only show.")
]


@app.command(name="import")
def import_report(  # noqa: PLR0913, PLR0917 - the options of a command line
    file: File,
    source: From,
    model: Model = None,
    window: Span = None,
    reference: Reference = None,
    severity: Gravity = Grave.MEDIUM,
    publish: Publish = True,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Understand a report of Evidently, NannyML, or in CloudEvents, and publish what drifted.

    The same report again is no second incident. Exit codes: 0 read, and published where something
    drifted; 1 the stream takes nothing; 2 the file is not what it should be.
    """
    from rich.console import Console  # noqa: PLC0415 - see above

    from trimtab.adapters.reports.report import MalformedReportError  # noqa: PLC0415 - as above
    from trimtab.cli.app import faults_told  # noqa: PLC0415 - cli.app imports this module

    console = Console()
    with faults_told():
        try:
            events, notes = _understood(
                file, source, model, spans=(window, reference), severity=severity
            )
        except MalformedReportError as error:
            _refuse(f"{file} is no report of {source.value} that can be read: {error}")
        for event in events:
            _show(event, console)
        for note in notes:
            console.print(note, highlight=False, markup=False, soft_wrap=True)
        _publish([event for event in events if _tells(event)], console, publish=publish)


def _understood(
    file: Path,
    source: Source,
    model: str | None,
    *,
    spans: tuple[str | None, str | None],
    severity: Grave,
) -> "tuple[tuple[DriftEvent, ...], list[str]]":
    """The events, and what a person should know about how they came about."""
    from trimtab.adapters.reports.cloudevents import read_cloudevents  # noqa: PLC0415 - see above
    from trimtab.adapters.reports.event import build_event  # noqa: PLC0415 - as above
    from trimtab.contracts.drift import Severity  # noqa: PLC0415 - as above
    from trimtab.runtime.errors import BadConfigurationError  # noqa: PLC0415 - as above
    from trimtab.runtime.models import load_model_spec  # noqa: PLC0415 - as above

    if not file.is_file():
        raise BadConfigurationError([f"{file}: there is no such file"])
    if source is Source.CLOUDEVENTS:
        return _of(model, read_cloudevents(file.read_bytes())), []
    if model is None:
        fault = f"--model: a report of {source.value} does not say which model it is about"
        raise BadConfigurationError([fault])
    spec = load_model_spec(model)
    report = _read(file, source)
    current = _current(report, spec, asked=spans[0], file=file)
    before = _reference(report, spec, asked=spans[1], current=current)
    rating = Severity(severity.value)
    event = build_event(report, spec, current=current, reference=before, severity=rating)
    return (event,), list(_notes(report, event, assumed=spans[0] is None))


def _notes(report: "ForeignReport", event: "DriftEvent", *, assumed: bool) -> "Iterator[str]":
    if report.current is None and assumed:
        yield "The report does not tell its window: assumed, unless --window says."
    told = {event.data.performance, event.data.estimate}
    others = [each.metric for each in report.performances if each not in told]
    if unread := [*others, *report.unread]:
        yield f"In the report too, and not imported: {', '.join(unread)}."


def _of(model: str | None, events: "tuple[DriftEvent, ...]") -> "tuple[DriftEvent, ...]":
    """All of them, once each is known to be about that model, or else about one that is watched."""
    from trimtab.adapters.reports.report import MalformedReportError  # noqa: PLC0415 - see above
    from trimtab.runtime.models import load_model_spec  # noqa: PLC0415 - as above

    for event in events:
        if model is not None and event.subject != model:
            msg = f"event {event.id!r} is about {event.subject!r}, not about {model!r}"
            raise MalformedReportError(msg)
        load_model_spec(event.subject)  # or the bridge would put it aside
    return events


def _read(file: Path, source: Source) -> "ForeignReport":
    from trimtab.adapters.reports.evidently import read_evidently  # noqa: PLC0415 - see above
    from trimtab.adapters.reports.nannyml import read_nannyml  # noqa: PLC0415 - as above

    return read_evidently(file.read_bytes()) if source is Source.EVIDENTLY else read_nannyml(file)


def _current(
    report: "ForeignReport", spec: "ModelSpec", *, asked: str | None, file: Path
) -> "Window":
    """As asked, as the report says, or else the newest whole window when it was written."""
    from trimtab.adapters.monitoring_schedule import build_monitoring_input  # noqa: PLC0415 - see above
    from trimtab.cli.window_option import span_between  # noqa: PLC0415 - as above
    from trimtab.contracts.drift import Window  # noqa: PLC0415 - as above

    if asked is not None:
        start, end = span_between(asked, "--window")
        return Window(start=start, end=end, rows=report.rows)
    if report.current is not None:
        return report.current
    made = report.made_at or datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
    end = build_monitoring_input(spec).window_end(made)
    return Window(start=end - spec.window, end=end, rows=report.rows)


def _reference(
    report: "ForeignReport", spec: "ModelSpec", *, asked: str | None, current: "Window"
) -> "Window":
    """As asked, as the report says, what the champion was trained on, or the windows before."""
    from trimtab.cli.window_option import span_between  # noqa: PLC0415 - as above
    from trimtab.contracts.drift import Window  # noqa: PLC0415 - as above
    from trimtab.runtime.settings import load_settings  # noqa: PLC0415 - as above

    if asked is not None:
        start, end = span_between(asked, "--reference")
        return Window(start=start, end=end, rows=0)
    if report.reference is not None:
        return report.reference
    settings = load_settings()
    if settings.mlflow_tracking_uri or (settings.home / "mlflow.db").exists():
        from trimtab.adapters.registry.model_registry import MlflowRegistry  # noqa: PLC0415 - takes 3 s

        champion = MlflowRegistry(settings=settings).champion(spec.name)
        if champion is not None and champion.trained_on is not None:
            return champion.trained_on
    start = current.start - spec.reference_windows * spec.window
    return Window(start=start, end=current.start, rows=0)


def _tells(event: "DriftEvent") -> bool:
    """Whether there is anything in it to respond to."""
    found = event.data
    told = (found.performance, found.estimate)
    degraded = any(each is not None and each.degraded for each in told)
    return bool(found.drifted or found.quality or degraded)


def _show(event: "DriftEvent", console: "Console") -> None:
    from rich.table import Table  # noqa: PLC0415 - see above
    from rich.text import Text  # noqa: PLC0415 - as above

    found = event.data
    told_of = {
        "model": found.model,
        "detector": found.detector,
        "window": _span(found.current),
        "compared with": _span(found.reference),
        "severity": found.severity.value,
        **_performance(found),
        "event": event.id,
    }
    for name, value in told_of.items():
        console.print(f"{name:<14}{value}", highlight=False, markup=False, soft_wrap=True)
    if not found.features:
        return
    table = Table()
    for heading in ("column", "kind", "role", "drifted", "why"):
        table.add_column(heading, overflow="fold")
    for each in found.features:
        drifted = Text("drifted", style="red") if each.drifted else Text("no")
        why = each.why or f"PSI {each.psi:.3f}"
        table.add_row(Text(each.name), each.kind.value, each.role.value, drifted, Text(why))
    console.print(table)


def _performance(found: "DriftFinding") -> dict[str, str]:
    told = {}
    if each := found.performance:
        told["realised"] = f"{each.metric} {each.reference:.3f} → {each.current:.3f}"
        told["realised"] += _verdict(each.rows, degraded=each.degraded)
    if guess := found.estimate:
        told["estimated"] = f"{guess.metric} {guess.reference:.3f} → {guess.estimated:.3f}"
        told["estimated"] += _verdict(guess.rows, degraded=guess.degraded)
    return told


def _verdict(rows: int, *, degraded: bool) -> str:
    return f" on {rows:,} rows ({'degraded' if degraded else 'not degraded'})"


def _span(window: "Window") -> str:
    from trimtab.cli.window_option import told  # noqa: PLC0415 - see above

    rows = f"{window.rows:,}" if window.rows else "unknown"
    return f"{told(window.start, window.end)}, rows {rows}"


def _publish(events: "list[DriftEvent]", console: "Console", *, publish: bool) -> None:
    from trimtab.adapters.datasets.drift_events import publish_events as save  # noqa: PLC0415 - see above

    if not events:
        console.print("Nothing drifted: nothing to publish.")
        return
    if not publish:
        console.print(f"{len(events)} not published (--dry-run).")
        return
    stream = save(events)
    console.print(f"{len(events)} published to the stream {stream}. The bridge opens:")
    for event in events:
        incident = f"  drift-response/{event.subject}/{event.id}"
        console.print(incident, highlight=False, markup=False, soft_wrap=True)


def _refuse(message: str) -> NoReturn:
    from rich.console import Console  # noqa: PLC0415 - see above

    error = Console(stderr=True)
    error.print(message, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(2)


app.command()(dead)
app.command()(retry)

"""Runs `trimtab events import`: reads another detector's report and publishes its drift."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from trimtab.adapters.datasets.drift_events import publish_events
from trimtab.adapters.monitoring_schedule import build_monitoring_input
from trimtab.adapters.reports.cloudevents import read_cloudevents
from trimtab.adapters.reports.event import build_event
from trimtab.adapters.reports.evidently import read_evidently
from trimtab.adapters.reports.nannyml import read_nannyml
from trimtab.adapters.reports.report import ForeignReport, MalformedReportError
from trimtab.cli.console import print_unbroken
from trimtab.cli.errors import ExitCode
from trimtab.cli.events.event_view import print_event
from trimtab.cli.events.report_format import ReportFormat
from trimtab.cli.registry_access import find_registry, open_registry
from trimtab.cli.window_option import parse_time_range
from trimtab.contracts.drift import DriftEvent, Severity, Window
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.names import build_drift_response_id
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import load_model_spec
from trimtab.runtime.settings import load_settings


class ImportOptions(NamedTuple):
    """The options of `trimtab events import`."""

    file: Path
    source: ReportFormat
    model: str | None
    window: str | None
    reference: str | None
    severity: str
    publish: bool


def run_import(options: ImportOptions) -> ExitCode:
    """Show the events of the report and publish those that have something to respond to.

    Raises `BadConfigurationError` where the file is not a valid report, `Unavailable` where the
    stream does not answer.
    """
    console = Console()
    try:
        events, notes = _read_events(options)
    except MalformedReportError as error:
        fault = f"{options.file}: not a readable report of {options.source.value}: {error}"
        raise BadConfigurationError([fault]) from None
    for event in events:
        print_event(event, console)
    for note in notes:
        console.print(note, highlight=False, markup=False)
    drifted = [event for event in events if _has_drift(event)]
    _publish_events(drifted, console, publish=options.publish)
    return ExitCode.OK


def _read_events(options: ImportOptions) -> tuple[Sequence[DriftEvent], list[str]]:
    """Return the events, and what a person should know about how they were built."""
    file, model = options.file, options.model
    if not file.is_file():
        raise BadConfigurationError([f"{file}: there is no such file"])
    if options.source is ReportFormat.CLOUDEVENTS:
        return _check_subjects(read_cloudevents(file.read_bytes()), model), []
    if model is None:
        fault = f"--model: a report of {options.source.value} does not name its model: name it"
        raise BadConfigurationError([fault])
    spec = load_model_spec(model)
    report = _read_report(file, options.source)
    current = _choose_current_window(report, spec, given=options.window, file=file)
    reference = _choose_reference_window(report, spec, given=options.reference, current=current)
    event = build_event(
        report, spec, current=current, reference=reference, severity=Severity(options.severity)
    )
    return (event,), list(_list_notes(report, event, window_is_given=options.window is not None))


def _list_notes(
    report: ForeignReport, event: DriftEvent, *, window_is_given: bool
) -> Iterator[str]:
    if report.current is None and not window_is_given:
        yield "The report does not name its window: it was assumed. Set it with --window."
    imported = {event.data.performance, event.data.estimate}
    others = [each.metric for each in report.performances if each not in imported]
    if unread := [*others, *report.unread]:
        yield f"Also in the report, but not imported: {', '.join(unread)}."


def _check_subjects(events: Sequence[DriftEvent], model: str | None) -> Sequence[DriftEvent]:
    """Return the events once each is known to be about this model, or else a configured one."""
    for event in events:
        if model is not None and event.subject != model:
            msg = f"event {event.id!r} is about {event.subject!r}, not about {model!r}"
            raise MalformedReportError(msg)
        load_model_spec(event.subject)  # otherwise the bridge would make it a dead letter
    return events


def _read_report(file: Path, source: ReportFormat) -> ForeignReport:
    if source is ReportFormat.EVIDENTLY:
        return read_evidently(file.read_bytes())
    return read_nannyml(file)


def _choose_current_window(
    report: ForeignReport, spec: ModelSpec, *, given: str | None, file: Path
) -> Window:
    """Return the given window, else the report's, else the newest when it was written."""
    if given is not None:
        start, end = parse_time_range(given, "--window")
        return Window(start=start, end=end, rows=report.rows)
    if report.current is not None:
        return report.current
    written_at = report.made_at or datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
    end = build_monitoring_input(spec).window_end(written_at)
    return Window(start=end - spec.window, end=end, rows=report.rows)


def _choose_reference_window(
    report: ForeignReport, spec: ModelSpec, *, given: str | None, current: Window
) -> Window:
    """Return the given window, else the report's, the champion's, or the windows before."""
    if given is not None:
        start, end = parse_time_range(given, "--reference")
        return Window(start=start, end=end, rows=0)
    if report.reference is not None:
        return report.reference
    settings = load_settings()
    if find_registry(settings) is not None:
        champion = open_registry(settings).champion(spec.name)
        if champion is not None and champion.trained_on is not None:
            return champion.trained_on
    start = current.start - spec.reference_windows * spec.window
    return Window(start=start, end=current.start, rows=0)


def _has_drift(event: DriftEvent) -> bool:
    """Say whether the event has anything to respond to."""
    finding = event.data
    changes = (finding.performance, finding.estimate)
    degraded = any(each is not None and each.degraded for each in changes)
    return bool(finding.drifted or finding.quality or degraded)


def _publish_events(events: Sequence[DriftEvent], console: Console, *, publish: bool) -> None:
    if not events:
        console.print("Nothing drifted: nothing to publish.")
        return
    if not publish:
        console.print(f"{len(events)} not published (--dry-run).", highlight=False)
        return
    stream = publish_events(events)
    console.print(f"{len(events)} published to the stream {stream}. Incidents:", highlight=False)
    for event in events:
        print_unbroken(console, f"  {build_drift_response_id(event.subject, event.id)}")

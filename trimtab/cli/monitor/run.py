"""Runs `trimtab monitor`: checks one window, prints it, and writes the page."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from trimtab.charts.finding_view import build_finding_view
from trimtab.charts.page import write_page
from trimtab.charts.terminal import print_view
from trimtab.charts.views import NOT_ENOUGH_DATA, View
from trimtab.cli.broken_pipe import ignore_broken_pipe
from trimtab.cli.champion_remedy import format_first_champion_remedy
from trimtab.cli.console import open_console, print_unbroken
from trimtab.cli.errors import ExitCode
from trimtab.cli.output_file import check_output_folder
from trimtab.cli.progress import show_progress_when_slow
from trimtab.cli.window_option import LAST, parse_time, parse_window
from trimtab.contracts.drift import DriftFinding
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.monitoring import Suppression, SuppressionReason, format_suppression
from trimtab.contracts.ports import NoChampionError, Refused
from trimtab.detection.drift.signal_changes import lacks_skill
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.session import run_pipeline
from trimtab.runtime.models import load_model_spec
from trimtab.runtime.settings import load_settings

Report = dict[str, Any]
"""Outputs of the pipeline `monitoring`."""


def run_monitor(name: str, *, window: str, html: Path | None, publish: bool) -> ExitCode:
    """Check the window, print the result, and return the exit code.

    Raises `BadConfigurationError` or `Refused` for bad input, `Unavailable` where a store does not
    answer.
    """
    if html is not None:
        check_output_folder(html, "--html")
    report = _check_window(name, window, publish=publish)
    view = _build_view(report)
    with ignore_broken_pipe():
        console = open_console()
        print_view(view, console)
        console.print()
        print_unbroken(console, _format_outcome(report))
    if html is not None:
        reference, current = (WindowProfile.model_validate(each) for each in report["profiles"])
        write_page(view, html, profiles=(reference, current))
        with ignore_broken_pipe():
            print_unbroken(open_console(), f"Page: {html}")
    return _get_exit_code(report)


def _check_window(name: str, window: str, *, publish: bool) -> Report:
    spec = load_model_spec(name)
    with show_progress_when_slow("loading the pipelines") as show:
        if window == LAST:
            show("looking for the last window")
        start, end = _find_window(window, spec)
        show(f"checking {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}")
        params: dict[str, JsonValue] = {
            "model": name,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "publish": publish,
            "detailed": True,
        }
        try:
            return run_pipeline("monitoring", params)
        except NoChampionError:
            remedy = format_first_champion_remedy(name, load_settings().home)
            msg = f"model {name!r} has no champion: {remedy}"
            raise Refused(msg) from None


def _find_window(text: str, spec: ModelSpec) -> tuple[datetime, datetime]:
    if text != LAST:
        return parse_window(text, spec)
    windows: Any = run_pipeline("timeline", {"model": spec.name})["windows"]
    if not windows:
        msg = f"the history of {spec.name!r} does not fill a single window of {spec.window}"
        raise Refused(msg)
    return parse_time(windows[-1]["start"], "start"), parse_time(windows[-1]["end"], "end")


def _read_finding(report: Report) -> DriftFinding:
    return DriftFinding.model_validate(report["shown"])


def _build_view(report: Report) -> View:
    """Return what the charts draw of a finding, with the verdict that the exit code gives too."""
    finding, code = _read_finding(report), _get_exit_code(report)
    view = build_finding_view(finding, shows_severity=code == ExitCode.DRIFT)
    if code == ExitCode.NOTHING_TO_JUDGE:
        return replace(view, state=NOT_ENOUGH_DATA, alarming=False, summary=f"{report['note']}.")
    if code == ExitCode.DRIFT and not view.alarming:
        summary = f"{_explain_drift_without_column(finding)}; {view.summary}"
        return replace(view, state="drift", alarming=True, summary=summary)
    return view


def _explain_drift_without_column(finding: DriftFinding) -> str:
    if finding.performance and finding.performance.degraded:
        return f"the champion's {finding.performance.metric} degraded"
    if finding.performance and lacks_skill(finding.performance):
        return f"the champion's {finding.performance.metric} is no better than without features"
    if finding.estimate and finding.estimate.degraded:
        return f"the champion's {finding.estimate.metric} is expected to have degraded"
    if finding.multivariate and finding.multivariate.drifted:
        return "rows as a whole differ from the reference"
    return "the make-up of the data changed"


def _get_exit_code(report: Report) -> ExitCode:
    if report["rows"] < report["minimum_rows"] and report["finding"] is None:
        return ExitCode.NOTHING_TO_JUDGE
    return ExitCode.DRIFT if report["finding"] else ExitCode.OK


def _format_outcome(report: Report) -> str:
    if report["event"]:
        return f"Event {report['event']['id']} was published."
    if report["suppression"] is None:
        return "There is nothing to publish."
    suppression = Suppression.model_validate(report["suppression"])
    if suppression.reason is SuppressionReason.PUBLISHING_OFF:
        return "Nothing was published. --publish publishes the event."
    return f"Not published, recorded in MLflow: {format_suppression(suppression)}."

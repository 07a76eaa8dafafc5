"""The main job on real input, through every real part, as a person starts it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest

from tests.e2e.capture import Capture, Span, capturing
from trimtab.contracts.decision import Verdict
from trimtab.contracts.incident import Ending
from trimtab.contracts.report import IncidentSummary, RunReport
from trimtab.runtime.paths import SHIPPED

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

TRIMTAB = Path(sys.executable).with_name("trimtab")
LANGFUSE = "/api/public/otel/v1/traces"
MODEL_CALLS = 5
"""Of one deliberation of the rule-based analyst: triage, look, cause, plan, review."""


@dataclass(frozen=True)
class Run:
    """What one `trimtab demo` left behind."""

    folder: Path
    output: str
    code: int
    report: RunReport
    raw: dict[str, Any]
    spans: Capture | None

    @property
    def home(self) -> Path:
        return self.folder / ".trimtab" / "backtest" / "birmingham-parking"

    @property
    def incidents(self) -> tuple[IncidentSummary, ...]:
        return self.report.incidents


CAUTIOUS = "confidence_above: 0.999\n"
"""A local policy under which a person is asked at least once on this data."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("demo")
    with capturing() as capture, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LANGFUSE_PUBLIC_KEY", "pk-test")
        patch.setenv("LANGFUSE_SECRET_KEY", "sk-test")
        patch.setenv("LANGFUSE_BASE_URL", capture.url)
        return run(folder, capture)


@pytest.fixture(scope="module")
def cautious(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("cautious")
    (folder / "conf" / "local").mkdir(parents=True)
    (folder / "conf" / "local" / "policy.yml").write_text(CAUTIOUS)
    return run(folder)


def run(folder: Path, spans: Capture | None = None) -> Run:
    done = trimtab("demo", "--yes", "--report", "report.json", folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    raw = json.loads((folder / "report.json").read_text())
    return Run(
        folder=folder,
        output=done.stdout,
        code=done.returncode,
        report=RunReport.model_validate(raw),
        raw=raw,
        spans=spans,
    )


def trimtab(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TRIMTAB, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=380
    )


def test_the_report_is_what_its_schema_promises(demo: Run) -> None:
    schema = json.loads((SHIPPED / "docs" / "report.schema.json").read_text())

    jsonschema.validate(demo.raw, schema)


def test_real_drift_is_announced_and_every_incident_ends(demo: Run) -> None:
    announced = {window.event_id for window in demo.report.windows} - {None}

    assert announced
    assert {incident.event_id for incident in demo.incidents} == announced
    assert all(incident.verdict is not None for incident in demo.incidents)


def test_a_verified_challenger_is_promoted_without_a_person(demo: Run) -> None:
    alone = [one for one in demo.incidents if one.verdict is Verdict.EXECUTE]

    assert Ending.REMEDIATED in {incident.ending for incident in alone}
    for incident in alone:
        if incident.ending is Ending.REMEDIATED:
            assert incident.metric is not None
            assert incident.metric.rows > 0
            assert (incident.metric.after or 0) >= (incident.metric.before or 0)


def test_the_person_is_shown_the_page_and_the_line_that_answers(cautious: Run) -> None:
    asked = [one for one in cautious.incidents if one.verdict is Verdict.ESCALATE]

    assert asked
    for incident in asked:
        workflow_id = f"drift-response/{cautious.report.model}/{incident.event_id}"
        assert f"--workflow-id {workflow_id} --name human_decision" in cautious.output
        assert (cautious.home / "approvals").is_dir()


def test_where_nobody_was_asked_the_demo_shows_what_it_is_like(demo: Run) -> None:
    assert all(incident.verdict is not Verdict.ESCALATE for incident in demo.incidents)

    _, rehearsal = demo.output.split("What it is like to be asked")
    assert "A person must decide" in rehearsal
    assert "--name human_decision" in rehearsal
    assert "It ended as remediated" in rehearsal


def test_whoever_was_asked_already_is_not_asked_again(cautious: Run) -> None:
    assert "What it is like to be asked" not in cautious.output


def test_what_is_not_there_is_said(demo: Run) -> None:
    for verdict in Verdict:
        if verdict not in {incident.verdict for incident in demo.incidents}:
            assert any(verdict.value in note for note in demo.report.notes)


def test_the_model_served_beats_the_one_left_alone(demo: Run) -> None:
    replaced = [
        point.served - point.untouched
        for point in demo.report.baseline
        if point.served is not None
        and point.untouched is not None
        and point.served_version != demo.report.baseline[0].served_version
    ]

    assert replaced
    assert sum(replaced) > 0


def test_an_incident_is_light(demo: Run) -> None:
    assert max(incident.history_events for incident in demo.incidents) <= 200
    assert max(incident.history_bytes for incident in demo.incidents) <= 200_000


def test_the_page_about_the_demo_gives_the_figures_of_this_run(demo: Run) -> None:
    story, last = (SHIPPED / "docs" / "demo.md").read_text(), demo.incidents[-1]
    assert last.metric is not None
    assert last.performance is not None

    expected = (
        f"drift-response/{demo.report.model}/{last.event_id}",
        f"On {last.metric.rows} rows",
        f"R² was {last.metric.before:.3f} and is now {last.metric.after:.3f}",
        f"is {last.performance.current:.3f}, and was {last.performance.reference:.3f}",
        f"The confidence is {last.confidence:.2f}",
        *(
            f"| {window.rows:,} | {point.untouched:.3f} |"
            for window, point in zip(demo.report.windows, demo.report.baseline, strict=True)
        ),
    )
    assert [each for each in expected if each not in story] == []


def test_the_verdict_comes_within_minutes(demo: Run) -> None:
    seconds = [one.seconds_to_verdict for one in demo.incidents if one.seconds_to_verdict]

    assert len(seconds) == len(demo.incidents)
    assert max(seconds) < 180


def test_the_audit_log_verifies_until_somebody_touches_it(demo: Run) -> None:
    verify = ("audit", "verify", "--home", str(demo.home))
    assert demo.report.audit_valid
    assert trimtab(*verify, folder=demo.folder).returncode == 0

    log = next((demo.home / "audit").rglob("*.jsonl"))
    whole = log.read_bytes()
    lines = whole.splitlines(keepends=True)
    for tampered in (whole.replace(b"0", b"1", 1), b"".join(lines[1:]), b"".join(lines[:-1])):
        log.write_bytes(tampered)
        assert trimtab(*verify, folder=demo.folder).returncode == 1
    log.write_bytes(whole)

    assert trimtab(*verify, folder=demo.folder).returncode == 0


def test_each_incident_is_one_trace_with_its_model_calls_in_it(demo: Run) -> None:
    for incident in demo.incidents:
        spans = spans_of(demo, incident.correlation_id)
        calls = [span for span in spans if "gen_ai.request.model" in span.attributes]

        assert len({span.trace_id for span in spans}) == 1
        assert len(calls) == MODEL_CALLS
        assert len({span.span_id for span in spans}) == len(spans)


def spans_of(demo: Run, correlation_id: str) -> tuple[Span, ...]:
    assert demo.spans is not None
    return tuple(span for span in demo.spans.trace(correlation_id) if span.path == LANGFUSE)


def test_every_log_line_of_an_incident_has_its_correlation_id(cautious: Run) -> None:
    known = {incident.correlation_id for incident in cautious.incidents}
    lines = [
        json.loads(line)
        for line in (cautious.home / "logs" / "worker.log").read_text().splitlines()
        if line.startswith("{")
    ]
    about = [line for line in lines if "workflow_id" in line or "event_id" in line]

    assert about
    assert {line.get("correlation_id") for line in about} <= known


def test_nothing_that_was_started_is_left(demo: Run) -> None:
    left = [
        process.info["cmdline"]
        for process in psutil.process_iter(["cmdline"])
        if any(str(demo.home) in word for word in process.info["cmdline"] or [])
    ]

    assert left == []

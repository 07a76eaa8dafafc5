"""An incident from event to report, on a real Temporal server, for every way it can end."""

import asyncio
import os
import pwd
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import JsonValue
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client, WorkflowUpdateFailedError

from tests.builders import NOW, WEEK, a_spec, a_window, an_event, an_incident
from tests.fakes import FakePipelines
from tests.workflows.pausing import Waiting, cancel_to_be_requested
from tests.workflows.world import BETTER, Handle, World
from trimtab.contracts.approval import Choice, HumanDecision, TemporalCommand
from trimtab.contracts.decision import Limits, Verdict
from trimtab.contracts.drift import PerformanceChange, QualityFault, Severity
from trimtab.contracts.incident import Ending, IncidentInput, IncidentView, Stage
from trimtab.contracts.model import GateOutcome, Tier
from trimtab.contracts.ports import Refused
from trimtab.contracts.remediation import Action

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENT = Limits(approval_timeout=timedelta(seconds=30), reminder_after=timedelta(seconds=20))
HASTY = Limits(approval_timeout=timedelta(seconds=1.5), reminder_after=timedelta(seconds=0.5))


@pytest.fixture
def world(temporal: Client, tmp_path: Path) -> World:
    return World(temporal, tmp_path)


def incident(analyst: str = "script/retrain", **changes: Any) -> IncidentInput:
    found: dict[str, Any] = {"severity": changes.pop("severity", Severity.HIGH)}
    if analyst == "script/monitor":
        # A loss of seven tolerances, as the builder's event has it, is not left to monitoring.
        found["performance"] = PerformanceChange(
            metric="r2", reference=0.8, current=0.78, rows=3000, degraded=False
        )
    if "performance" in changes:
        found["performance"] = changes.pop("performance")
    event = an_event(f"event-{uuid4().hex[:8]}", **found)
    return an_incident(event, analyst=analyst, **changes)


def escalating(limits: Limits = PATIENT, **changes: Any) -> IncidentInput:
    return incident(spec=a_spec(tier=Tier.CRITICAL), limits=limits, **changes)


async def reached(handle: Handle, stage: Stage) -> IncidentView:
    """The incident once it has come so far."""
    while True:
        view: IncidentView = await handle.query("incident", result_type=IncidentView)
        if view.stage is stage:
            return view
        await asyncio.sleep(0.05)


async def waiting(handle: Handle) -> IncidentView:
    """The incident once it waits for a person."""
    return await reached(handle, Stage.WAITING)


def answer(plan_hash: str | None, decision: Choice = Choice.APPROVE) -> HumanDecision:
    return HumanDecision(plan_hash=plan_hash or "", approver="ada", decision=decision)


async def test_a_plan_that_the_policy_allows_is_executed_and_verified(world: World) -> None:
    report = await world.respond(incident(), golden="executed")

    assert report.decision is not None
    assert report.decision.verdict is Verdict.EXECUTE
    assert report.ending is Ending.REMEDIATED
    assert world.registry.champion_version == "2"
    assert report.outcome is not None
    assert report.outcome.verification is not None
    assert report.outcome.verification.rows == 600
    assert report.acted_at is not None


async def test_a_plan_to_do_nothing_about_harmless_drift_is_monitored(
    temporal: Client, tmp_path: Path
) -> None:
    world = World(temporal, tmp_path, metrics={**BETTER, "recent": {"1": 0.92}})
    fine = PerformanceChange(metric="r2", reference=0.92, current=0.92, rows=3000, degraded=False)
    harmless = incident("script/monitor", severity=Severity.MEDIUM, performance=fine)

    report = await world.respond(harmless, golden="monitored")

    assert report.ending is Ending.MONITORED
    assert world.registry.moves == []
    assert report.outcome is None


async def test_a_plan_to_do_nothing_about_a_loss_goes_to_a_person(world: World) -> None:
    mild = PerformanceChange(metric="r2", reference=0.81, current=0.78, rows=3000, degraded=True)
    idle = incident("script/monitor", severity=Severity.MEDIUM, performance=mild, limits=HASTY)

    report = await world.respond(idle)

    assert report.decision is not None
    assert (report.decision.verdict, report.decision.rule) == (
        Verdict.ESCALATE,
        "inaction_confidence",
    )
    assert report.ending is Ending.EXPIRED


async def test_a_plan_that_a_person_approves_is_executed(world: World) -> None:
    async def approve(handle: Handle) -> None:
        view = await waiting(handle)
        await handle.signal("human_decision", answer(view.plan_hash))

    report = await world.respond(escalating(), play=approve, golden="approved")

    assert report.ending is Ending.REMEDIATED
    assert world.registry.champion_version == "2"
    assert [one.accepted for one in report.answers] == [True]


async def test_a_person_sees_what_the_retraining_would_give(world: World) -> None:
    report = await world.respond(escalating(HASTY))

    assert report.preview is not None
    assert report.preview.outcome is GateOutcome.BETTER
    assert world.seal.check(report.preview)
    page = " ".join(world.notifier.requests[0].page.split())
    assert "Challenger: r2 0.78 -> 0.90 (0.90 to 0.90) on 600 rows, ready" in page
    assert world.registry.known == ["1"]
    assert ("preview", {"model": "parking", "as_of": NOW.isoformat(), "corrupt_too": True}) in (
        world.pipelines.calls
    )


async def test_a_retraining_without_a_person_is_not_tried_before(world: World) -> None:
    await world.respond(incident())

    assert "preview" not in {name for name, _ in world.pipelines.calls}


async def test_an_incident_goes_on_without_a_preview_that_fails(world: World) -> None:
    class Broken(FakePipelines):
        async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
            if pipeline == "preview":
                msg = "no memory for a model"
                raise Refused(msg)
            return await super().run(pipeline, params)

    world.pipelines = Broken(world.registry, BETTER)

    async def approve(handle: Handle) -> None:
        view = await waiting(handle)
        await handle.signal("human_decision", answer(view.plan_hash))

    report = await world.respond(escalating(), play=approve)

    assert report.preview is None
    assert report.ending is Ending.REMEDIATED


async def test_what_is_not_to_be_retrained_is_not_tried(world: World) -> None:
    await world.respond(incident("script/monitor", severity=Severity.MEDIUM, limits=HASTY))

    assert "preview" not in {name for name, _ in world.pipelines.calls}


async def test_a_gate_that_cannot_tell_is_in_the_report(temporal: Client, tmp_path: Path) -> None:
    metrics = {**BETTER, "gate": {"1": 0.8000, "2": 0.8045}}

    report = await World(temporal, tmp_path, metrics=metrics).respond(incident())

    assert report.ending is Ending.NOT_PROMOTED
    assert report.outcome is not None
    assert "cannot tell yet: 600 rows; look again with the next window" in report.outcome.detail


async def test_a_plan_that_a_person_rejects_is_not_executed(world: World) -> None:
    async def reject(handle: Handle) -> None:
        view = await waiting(handle)
        await handle.signal("human_decision", answer(view.plan_hash, Choice.REJECT))

    report = await world.respond(escalating(), play=reject, golden="rejected")

    assert report.ending is Ending.REJECTED
    assert world.registry.moves == []


async def test_a_question_that_stays_unanswered_expires_after_one_reminder(world: World) -> None:
    report = await world.respond(escalating(HASTY), golden="expired")

    assert report.ending is Ending.EXPIRED
    assert world.registry.moves == []
    assert [request.reminder for request in world.notifier.requests] == [False, True]


async def test_a_failed_deliberation_escalates_the_fallbacks_plan(world: World) -> None:
    report = await world.respond(
        incident("script/fail", limits=HASTY), golden="deliberation_failed"
    )

    assert report.decision is not None
    assert (report.decision.verdict, report.decision.rule) == (
        Verdict.ESCALATE,
        "deliberation",
    )
    assert "talks nonsense" in report.failure
    assert report.deliberation is not None
    assert report.deliberation.analyst == "analyst/rules"
    assert report.ending is Ending.EXPIRED


async def test_a_cancelled_incident_changes_nothing_and_closes_its_audit_chain(
    world: World,
) -> None:
    async def cancel(handle: Handle) -> None:
        await waiting(handle)
        await handle.cancel(reason="the model is being replaced")

    report = await world.respond(escalating(), play=cancel, golden="cancelled")

    assert report.ending is Ending.CANCELLED
    assert report.failure == "cancelled: the model is being replaced"
    assert world.registry.moves == []
    lines = world.audit.lines(report.event_id)
    assert lines[-1].entry.gate.value == "closed"
    assert lines[-1].hash == report.audit_tip
    assert world.registry.incidents[0].ending is Ending.CANCELLED


async def test_cancelling_stops_the_agents_and_asks_nobody(world: World) -> None:
    async def cancel(handle: Handle) -> None:
        await reached(handle, Stage.DELIBERATING)
        await handle.cancel()

    report = await world.respond(incident("script/wait"), play=cancel)

    assert report.ending is Ending.CANCELLED
    assert report.deliberation is None
    assert world.notifier.requests == []


async def test_cancelling_an_action_undoes_it(world: World) -> None:
    world.pipelines = pausing = Waiting(world.registry, "gate", until_released=True)

    async def cancel(handle: Handle) -> None:
        await pausing.reached.wait()
        await handle.cancel()
        remediation = world.client.get_workflow_handle("remediation/parking")
        await cancel_to_be_requested(remediation)
        pausing.go_on.set()

    report = await world.respond(incident(), play=cancel)

    assert report.ending is Ending.CANCELLED
    assert report.outcome is not None
    assert report.outcome.undone
    assert world.registry.moves == [("1", "2"), ("2", "1")]
    assert world.audit.lines(report.event_id)[-1].hash == report.audit_tip


async def test_agents_that_are_at_work_on_another_event_of_that_id_escalate(world: World) -> None:
    first = incident("script/wait", limits=HASTY)
    other = await world.client.start_workflow(
        "DeliberationWorkflow",
        id=f"deliberation/parking/{first.event.id}",
        task_queue="nobody-serves-this",
    )

    report = await world.respond(first)

    await other.terminate()
    assert report.decision is not None
    assert report.decision.verdict is Verdict.ESCALATE
    assert "already started" in report.failure
    assert report.ending is Ending.EXPIRED


async def test_a_new_champion_that_is_worse_is_undone(temporal: Client, tmp_path: Path) -> None:
    worse = {**BETTER, "verification": {"1": 0.9, "2": 0.5}}
    world = World(temporal, tmp_path, metrics=worse)

    report = await world.respond(incident(), golden="verification_failed_and_undone")

    assert report.ending is Ending.UNDONE
    assert world.registry.moves == [("1", "2"), ("2", "1")]


async def test_without_labelled_rows_nothing_counts_as_verified(
    temporal: Client, tmp_path: Path
) -> None:
    world = World(temporal, tmp_path, metrics={**BETTER, "verification": {}})

    report = await world.respond(incident())

    assert report.ending is Ending.NOT_VERIFIED
    assert world.registry.champion_version == "1"


async def test_a_challenger_that_is_no_better_changes_nothing(
    temporal: Client, tmp_path: Path
) -> None:
    world = World(temporal, tmp_path, metrics={**BETTER, "gate": {"1": 0.9, "2": 0.9}})

    report = await world.respond(incident())

    assert report.ending is Ending.NOT_PROMOTED
    assert world.registry.moves == []
    assert report.acted_at is None


async def test_an_answer_that_arrives_before_the_question_counts(
    temporal: Client, tmp_path: Path
) -> None:
    asked = escalating(HASTY)
    unanswered = await World(temporal, tmp_path / "first").respond(asked)
    assert unanswered.decision is not None

    world = World(temporal, tmp_path / "second")
    report = await world.respond(asked, early=answer(unanswered.decision.plan_hash))

    assert unanswered.ending is Ending.EXPIRED
    assert report.ending is Ending.REMEDIATED
    assert [one.accepted for one in report.answers] == [True]
    assert world.registry.champion_version == "2"


async def test_what_arrives_early_and_is_no_answer_to_this_plan_is_recorded(world: World) -> None:
    async def answer_at_once(handle: Handle) -> None:
        await handle.signal("human_decision", {"decision": "maybe"})

    report = await world.respond(escalating(HASTY), play=answer_at_once, early=answer("0" * 64))

    notes = sorted(one.note.split(":")[0] for one in report.answers)
    assert notes == ["other plan", "unreadable"]
    assert report.ending is Ending.EXPIRED


async def test_an_answer_after_the_deadline_changes_nothing_and_is_kept(world: World) -> None:
    remembering = world.knowledge.pause()

    async def answer_late(handle: Handle) -> None:
        view = await reached(handle, Stage.CLOSED)
        await handle.signal("human_decision", answer(view.plan_hash))
        remembering.set()

    report = await world.respond(escalating(HASTY), play=answer_late)

    assert report.ending is Ending.EXPIRED
    assert [one.note.split(":")[0] for one in report.answers] == ["late"]
    assert world.registry.moves == []


async def test_only_the_first_answer_settles_the_question(world: World) -> None:
    async def answer_twice(handle: Handle) -> None:
        view = await waiting(handle)
        for _ in range(2):
            await handle.signal("human_decision", answer(view.plan_hash))

    report = await world.respond(escalating(), play=answer_twice)

    assert report.ending is Ending.REMEDIATED
    assert [one.note.split(":")[0] for one in report.answers] == ["", "duplicate"]
    gates = [line.entry.gate.value for line in world.audit.lines(report.event_id)]
    assert gates.count("answered") == 2


async def test_an_answer_to_another_plan_is_recorded_and_ignored(world: World) -> None:
    async def answer_wrongly(handle: Handle) -> None:
        await waiting(handle)
        await handle.signal("human_decision", answer("f" * 64))

    report = await world.respond(escalating(HASTY), play=answer_wrongly)

    assert report.ending is Ending.EXPIRED
    assert report.answers[0].note.startswith("other plan")


async def test_a_signal_without_an_answer_is_recorded_and_nothing_hangs(world: World) -> None:
    async def signal_nothing(handle: Handle) -> None:
        view = await waiting(handle)
        await handle.signal("human_decision")
        await handle.signal("human_decision", args=[answer(view.plan_hash), "and another thing"])

    report = await world.respond(escalating(), play=signal_nothing)

    assert [one.note.split(":")[0] for one in report.answers] == ["unreadable", ""]
    assert report.ending is Ending.REMEDIATED


async def test_the_update_validates_and_answers(world: World) -> None:
    async def update(handle: Handle) -> None:
        view = await waiting(handle)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("human_decision_update", answer("f" * 64))
        await handle.execute_update("human_decision_update", answer(view.plan_hash, Choice.REJECT))

    report = await world.respond(escalating(), play=update)

    assert report.ending is Ending.REJECTED
    assert len(report.answers) == 1


async def test_a_raw_signal_in_the_form_of_tctl_approves(world: World) -> None:
    async def signal_raw(handle: Handle) -> None:
        view = await waiting(handle)
        payload = Payload(
            metadata={"encoding": b"json/plain"},
            data=answer(view.plan_hash).model_dump_json().encode(),
        )
        await world.client.workflow_service.signal_workflow_execution(
            SignalWorkflowExecutionRequest(
                namespace=world.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=handle.id),
                signal_name="human_decision",
                input=Payloads(payloads=[payload]),
                identity="tctl@host",
            )
        )

    report = await world.respond(escalating(), play=signal_raw)

    assert report.ending is Ending.REMEDIATED


async def test_the_page_s_line_approves_when_it_is_pasted_into_a_shell(
    world: World, tmp_path: Path
) -> None:
    command = TemporalCommand(
        program=str(Path(sys.executable).with_name("temporal")),
        address=world.client.service_client.config.target_host,
    )
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}  # and no USER

    async def paste(handle: Handle) -> None:
        view = await waiting(handle)
        _, _, line = (view.page or "").partition("Without Trimtab's command line:\n")
        shell = await asyncio.create_subprocess_exec("/bin/sh", "-c", line, env=bare)
        assert await shell.wait() == 0

    report = await world.respond(escalating(answer_command=command), play=paste)

    assert report.ending is Ending.REMEDIATED
    (answer,) = report.answers
    assert answer.decision is not None
    assert answer.decision.approver == pwd.getpwuid(os.getuid()).pw_name


async def test_a_person_who_approves_an_incident_without_a_plan_takes_it_over(
    world: World,
) -> None:
    async def approve(handle: Handle) -> None:
        view = await waiting(handle)
        await handle.signal("human_decision", answer(view.plan_hash))

    grave = incident("script/monitor", severity=Severity.CRITICAL, limits=PATIENT)
    report = await world.respond(grave, play=approve)

    assert report.deliberation is not None
    assert report.deliberation.plan.action is Action.MONITOR
    assert report.ending is Ending.ACKNOWLEDGED


async def test_evidence_that_cannot_be_had_escalates(world: World) -> None:
    world.registry.broken = True

    report = await world.respond(incident(limits=HASTY))

    assert report.failure.startswith("evidence could not be collected")
    assert report.ending is Ending.EXPIRED


async def test_an_event_with_the_longest_words_it_may_have_is_investigated(world: World) -> None:
    wordy = QualityFault(kind="range", detail="x" * 4000, column="Occupancy")
    event = an_event(f"event-{uuid4().hex[:8]}")
    event = event.model_copy(update={"data": event.data.model_copy(update={"quality": (wordy,)})})

    report = await world.respond(an_incident(event, analyst="script/monitor", limits=HASTY))

    assert report.evidence is not None
    assert report.failure == ""


async def test_the_audit_chain_ends_where_the_report_says(world: World) -> None:
    report = await world.respond(incident())

    lines = world.audit.lines(report.event_id)
    assert lines[-1].hash == report.audit_tip
    assert len(lines) == report.audit_entries
    assert [line.entry.gate.value for line in lines][:5] == [
        "opened",
        "evidence",
        "deliberated",
        "decided",
        "authorised",
    ]
    assert world.registry.incidents[0].audit_tip == report.audit_tip


async def test_the_page_says_what_to_run(world: World) -> None:
    report = await world.respond(escalating(HASTY))

    page = world.notifier.requests[0].page
    assert report.decision is not None
    assert report.decision.plan_hash in page
    assert f"--workflow-id drift-response/parking/{report.event_id}" in page
    assert f"trimtab approve {report.event_id} --plan" in page
    assert "allowed_actions" in page
    assert len(page.splitlines()) < 50


async def test_an_unsigned_event_waits_for_a_person_and_executes_nothing(world: World) -> None:
    report = await world.respond(incident(publisher="", limits=HASTY))

    assert report.decision is not None
    assert report.decision.rule == "event_signature"
    assert report.ending is Ending.EXPIRED
    assert world.registry.champion_version == "1"


async def test_an_old_event_with_invented_figures_changes_nothing(world: World) -> None:
    """Row 3 of cases/authority.md: three of three were executed."""
    asked_at = datetime.now(UTC)
    old = an_event(
        f"event-{uuid4().hex[:8]}",
        current=a_window(end=asked_at - 8 * WEEK),
        champion_version="7",
        performance=PerformanceChange(
            metric="r2", reference=0.92, current=0.40, rows=3330, degraded=True
        ),
    )

    report = await world.respond(
        an_incident(old, analyst="script/retrain", limits=HASTY, as_of=None)
    )

    assert report.decision is not None
    escalated = {
        result.rule: result.reason
        for result in report.decision.results
        if result.verdict is Verdict.ESCALATE
    }
    assert {"event_window", "event_champion", "event_metric"} <= set(escalated)
    assert "the event says r2 0.400 on 3,330 rows, but measured is" in escalated["event_metric"]
    assert world.registry.champion_version == "1"
    # What was measured is the newest labelled window, not the event's.
    (measured,) = (params for name, params in world.pipelines.calls if name == "evaluation")
    assert datetime.fromisoformat(str(measured["as_of"])) >= asked_at

"""Who may answer an incident's question, what the log keeps of it, and who is told."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.common import SearchAttributeKey

from policies.approval_signature import format_public_key, sign_decision
from tests.builders import a_spec, an_event, an_incident
from tests.waiting import until
from tests.workflows.test_drift_response import PATIENT, answer, escalating, waiting
from tests.workflows.world import Handle, World
from trimtab.adapters.audit.audit_verification import verify
from trimtab.contracts import names
from trimtab.contracts.approval import Choice, DecisionReceipt, HumanDecision
from trimtab.contracts.approvers import Approver
from trimtab.contracts.decision import Limits
from trimtab.contracts.drift import PerformanceChange, Severity
from trimtab.contracts.incident import Ending, IncidentInput
from trimtab.contracts.model import Tier
from trimtab.contracts.notice import NoticeKind, NoticeTarget

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = Ed25519PrivateKey.generate()
TEAM = NoticeTarget(command=("true",))
SECOND_RANK = NoticeTarget(command=("true",), kinds=(NoticeKind.LAST_CALL,))
HASTY = timedelta(seconds=1.5)


@pytest.fixture
def world(temporal: Client, tmp_path: Path) -> World:
    return World(temporal, tmp_path)


def asking(**limits: Any) -> IncidentInput:
    event = an_event(f"event-{uuid4().hex[:8]}")
    return an_incident(
        event,
        spec=a_spec(tier=Tier.CRITICAL),
        analyst="script/retrain",
        limits=PATIENT.model_copy(update=limits),
    )


def by(name: str, plan_hash: str | None, decision: Choice = Choice.APPROVE) -> HumanDecision:
    return HumanDecision(plan_hash=plan_hash or "", approver=name, decision=decision)


async def test_an_unlisted_approval_and_a_listed_rejection_change_nothing(world: World) -> None:
    async def play(handle: Handle) -> None:
        view = await waiting(handle)
        await handle.signal("human_decision", by("mallory", view.plan_hash))
        await handle.signal("human_decision", by("ada", view.plan_hash, Choice.REJECT))

    report = await world.respond(asking(approvers={"ada": Approver()}), play=play)

    assert report.ending is Ending.REJECTED
    assert world.registry.moves == []
    assert [one.note.partition(":")[0] for one in report.answers] == ["unlisted", ""]
    entries = [line.entry for line in world.audit.lines(report.event_id)]
    assert [entry.actor for entry in entries if entry.gate == "answered"] == [
        "person:mallory",
        "person:ada",
    ]


async def test_two_listed_people_approve_what_needs_two(world: World) -> None:
    receipts: list[DecisionReceipt] = []

    async def play(handle: Handle) -> None:
        view = await waiting(handle)
        for name in ("ada", "bob"):
            receipts.append(
                await handle.execute_update(
                    "human_decision_update",
                    by(name, view.plan_hash),
                    result_type=DecisionReceipt,
                )
            )
            if name == "ada":
                with pytest.raises(WorkflowUpdateFailedError) as refused:
                    await handle.execute_update("human_decision_update", by(name, view.plan_hash))
                assert "ada approved already" in str(refused.value.cause)

    report = await world.respond(
        asking(
            approvers={"ada": Approver(), "bob": Approver()},
            approvals_needed={Tier.CRITICAL: 2},
            notify={"team": TEAM},
        ),
        play=play,
        golden="approved_by_two_people",
    )

    assert report.ending is Ending.REMEDIATED
    assert receipts[0].note.startswith("approval 1 of 2")
    authorised = [
        line.entry.actor
        for line in world.audit.lines(report.event_id)
        if line.entry.gate == "authorised"
    ]
    assert authorised == ["person:ada,bob"]


async def test_an_answer_is_on_record_before_the_question_is_settled(world: World) -> None:
    """Somebody may terminate the incident before the second approval."""
    request = asking(
        approvers={"ada": Approver(), "bob": Approver()}, approvals_needed={Tier.CRITICAL: 2}
    )
    actors: list[str] = []

    def is_recorded(count: int) -> bool:
        lines = world.audit.lines(request.event.id)
        actors[:] = [line.entry.actor for line in lines if line.entry.gate == "answered"]
        return len(actors) == count

    async def play(handle: Handle) -> None:
        view = await waiting(handle)
        await handle.signal("human_decision", by("ada", view.plan_hash))
        await until(lambda: is_recorded(1))
        for _ in range(3):
            await handle.signal("human_decision", by("mallory", view.plan_hash))
        await until(lambda: is_recorded(4))
        await handle.signal("human_decision", by("bob", view.plan_hash))

    report = await world.respond(request, play=play)

    assert report.ending is Ending.REMEDIATED
    assert is_recorded(5)
    assert actors == ["person:ada", *["person:mallory"] * 3, "person:bob"]


async def test_one_of_two_approvals_expires(world: World) -> None:
    async def play(handle: Handle) -> None:
        view = await waiting(handle)
        await handle.signal("human_decision", by("ada", view.plan_hash))

    report = await world.respond(
        asking(
            approvers={"ada": Approver(), "bob": Approver()},
            approvals_needed={Tier.CRITICAL: 2},
            approval_timeout=HASTY,
            reminder_after=HASTY,
        ),
        play=play,
    )

    assert report.ending is Ending.EXPIRED
    assert world.registry.moves == []


async def test_an_approval_and_a_rejection_in_one_workflow_task_reject(
    temporal: Client, tmp_path: Path
) -> None:
    asked = asking(approval_timeout=HASTY, reminder_after=HASTY)
    unanswered = await World(temporal, tmp_path / "first").respond(asked)
    assert unanswered.decision is not None
    plan_hash = unanswered.decision.plan_hash

    async def reject_at_once(handle: Handle) -> None:
        await handle.signal("human_decision", by("bob", plan_hash, Choice.REJECT))

    world = World(temporal, tmp_path / "second")
    report = await world.respond(asked, early=by("ada", plan_hash), play=reject_at_once)

    assert [one.accepted for one in report.answers] == [True, True]
    assert report.ending is Ending.REJECTED
    assert world.registry.moves == []


async def test_where_signatures_are_required_only_a_signed_answer_counts(world: World) -> None:
    async def play(handle: Handle) -> None:
        view = await waiting(handle)
        unsigned = by("ada", view.plan_hash)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update("human_decision_update", unsigned)
        assert "unsigned" in str(refused.value.cause)
        await handle.signal("human_decision", unsigned)
        signed = sign_decision(
            unsigned,
            incident=view.event_id,
            model=view.model,
            key=KEY,
            signed_at=datetime.now(UTC),
        )
        await handle.execute_update("human_decision_update", signed)

    report = await world.respond(
        asking(approvers={"ada": Approver(keys=(format_public_key(KEY),))}, require_signature=True),
        play=play,
    )

    assert report.ending is Ending.REMEDIATED
    assert [one.note.partition(":")[0] for one in report.answers] == ["unsigned", ""]


async def test_without_a_list_the_local_user_answers_and_others_do_not(world: World) -> None:
    async def play(handle: Handle) -> None:
        view = await waiting(handle)
        await handle.signal("human_decision", by("mallory", view.plan_hash))
        await handle.signal("human_decision", by("ada", view.plan_hash))

    report = await world.respond(escalating(local_user="ada"), play=play)

    assert report.ending is Ending.REMEDIATED
    assert [one.accepted for one in report.answers] == [False, True]


async def test_a_flood_of_long_signals_ends_in_a_closed_chain(world: World, tmp_path: Path) -> None:
    """Row 7: 1,200 long signals to one incident killed it."""

    async def play(handle: Handle) -> None:
        view = await waiting(handle)
        for hundred in range(0, 1200, 100):
            flood = (
                by(f"mallory{number}", view.plan_hash).model_copy(update={"reason": "x" * 2000})
                for number in range(hundred, hundred + 100)
            )
            await asyncio.gather(*(handle.signal("human_decision", each) for each in flood))
        await handle.signal("human_decision", by("ada", view.plan_hash))

    report = await world.respond(asking(approvers={"ada": Approver()}), play=play)

    assert report.ending is Ending.REMEDIATED
    assert len(report.answers) == 101
    last = world.audit.lines(report.event_id)[-1].entry
    assert last.gate == "closed"
    assert last.detail["answers_not_kept"] == 1100
    assert all(status.valid for status in verify(tmp_path / "audit", key=b"k" * 32))


async def test_people_are_told_once_of_question_and_outcome_and_the_page_is_marked(
    world: World,
) -> None:
    async def play(handle: Handle) -> None:
        view = await waiting(handle)
        await handle.signal("human_decision", answer(view.plan_hash))

    report = await world.respond(
        asking(notify={"team": TEAM, "second": SECOND_RANK}, last_call_before=timedelta(seconds=1)),
        play=play,
    )

    sent = world.notifier.sent
    assert [(each.target, each.notice.kind) for each in sent] == [
        ("team", NoticeKind.ASKED),
        ("team", NoticeKind.CLOSED),
    ]
    assert "trimtab approve" in sent[0].notice.text
    assert sent[1].notice.ending == "remediated"
    assert len({each.notice.id for each in sent}) == 2
    (mark,) = world.notifier.marks
    assert mark.mark.startswith("ANSWERED: approved by ada")
    assert report.ending is Ending.REMEDIATED


async def test_the_second_rank_is_told_before_the_question_expires(world: World) -> None:
    report = await world.respond(
        asking(
            notify={"team": TEAM, "second": SECOND_RANK},
            approval_timeout=timedelta(seconds=2),
            reminder_after=timedelta(seconds=0.5),
            last_call_before=timedelta(seconds=1),
        )
    )

    assert report.ending is Ending.EXPIRED
    assert [(each.target, each.notice.kind.value) for each in world.notifier.sent] == [
        ("team", "asked"),
        ("team", "reminder"),
        ("second", "last_call"),
        ("team", "closed"),
    ]
    assert world.notifier.marks[0].mark.startswith("EXPIRED: nobody answered")


async def test_a_target_that_fails_delays_and_stops_nothing(world: World) -> None:
    world.notifier.broken_targets = {"broken"}

    async def play(handle: Handle) -> None:
        view = await waiting(handle)
        await handle.signal("human_decision", answer(view.plan_hash))

    report = await world.respond(asking(notify={"broken": TEAM, "team": TEAM}), play=play)

    assert report.ending is Ending.REMEDIATED
    assert [each.target for each in world.notifier.sent] == ["team", "team"]


async def test_nobody_is_told_of_an_incident_that_was_only_monitored(world: World) -> None:
    fine = PerformanceChange(metric="r2", reference=0.78, current=0.78, rows=3000, degraded=False)
    event = an_event(f"event-{uuid4().hex[:8]}", severity=Severity.MEDIUM, performance=fine)
    limits = Limits(notify={"team": TEAM})
    report = await world.respond(an_incident(event, analyst="script/monitor", limits=limits))

    assert report.ending is Ending.MONITORED
    assert [each.notice.kind for each in world.notifier.sent] == []


async def test_the_ending_is_found_by_visibility_and_shown_in_the_web_ui(world: World) -> None:
    report = await world.respond(asking(approval_timeout=HASTY, reminder_after=HASTY))

    workflow_id = names.build_drift_response_id(report.model, report.event_id)
    handle = world.client.get_workflow_handle(workflow_id)
    found = (await handle.describe()).typed_search_attributes
    assert found[SearchAttributeKey.for_keyword(names.ENDING)] == "expired"

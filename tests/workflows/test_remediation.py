"""A remediation ends with the model verified or as it was, and with every step on record."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import JsonValue
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, Worker

from activities.audit import AuditActivities
from activities.authorisation import STEPS_OF_ACTION
from activities.evidence import EvidenceActivities
from activities.registration import list_action_activities
from policies.incident import determine_ending
from tests.builders import NOW, a_spec, a_window
from tests.fakes import FakeKnowledge, FakePipelines, FakeRegistry
from tests.waiting import until
from tests.workflows.golden import read_golden, record_golden
from tests.workflows.pausing import Waiting
from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.audit.audit_verification import verify
from trimtab.adapters.evidence_seal import HmacEvidenceSeal
from trimtab.adapters.grants import JwtGuard, JwtMint
from trimtab.contracts import names
from trimtab.contracts.audit import GENESIS, AuditAppend, AuditEntry, AuditLine, ChainEnd, Gate
from trimtab.contracts.base import compute_digest
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.ports import AuditLog, PipelineRunner, Refused
from trimtab.contracts.remediation import (
    Action,
    ActionOrder,
    GrantClaims,
    Outcome,
    RemediationInput,
    compute_effect_key,
)
from workflows.remediation import RemediationWorkflow

PLAN, POLICY = "a" * 64, "b" * 64
BETTER = {
    "gate": {"1": 0.80, "2": 0.90},
    "verification": {"1": 0.79, "2": 0.89},
    "recent": {"1": 0.70, "0": 0.90},
}
KEY = b"k" * 32
SECRET: Final = Fernet.generate_key()
GOLDEN: Final = (
    "retrained",
    "rolled_back",
    "not_promoted",
    "undone",
    "not_verified",
    "retraining_failed",
    "promotion_failed",
    "verification_failed",
    "undo_failed",
    "retraining_cancelled",
    "verification_cancelled",
)
"""Ways in which a remediation can go that have a golden history."""

Handle = WorkflowHandle[RemediationWorkflow, Outcome]
Meddle = Callable[[Handle], Any]


class World:
    """Fakes behind the real activities, workers for both queues, and the real audit log."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.registry = FakeRegistry(versions=("0", "1"))
        self.registry.promoted["0"] = ["an earlier promotion"]
        self.pipelines: PipelineRunner = FakePipelines(self.registry, BETTER)
        self.log: AuditLog = JsonlAuditLog(folder, key=KEY)
        self.grant_key = Ed25519PrivateKey.generate()
        self.heartbeat = timedelta(seconds=30)
        self.histories: dict[str, WorkflowHistory] = {}

    def measuring(self, **metrics: Mapping[str, float]) -> "World":
        self.pipelines = FakePipelines(self.registry, BETTER | metrics)
        return self

    async def remediate(
        self,
        action: Action = Action.RETRAIN,
        *,
        meddle: Meddle | None = None,
        margin: float = 0.0,
        lasting: timedelta = timedelta(hours=1),
        golden: str | None = None,
        authorised: bool = True,
    ) -> Outcome:
        assert golden is None or golden in GOLDEN
        tip = self._authorise() if authorised else GENESIS
        async with AsyncExitStack() as stack:
            for worker in self._workers():
                await stack.enter_async_context(worker)
            handle = await self.client.start_workflow(
                RemediationWorkflow.run,
                self._input(action, margin=margin, lasting=lasting, tip=tip),
                id="remediation/parking",
                task_queue=names.MAIN_QUEUE,
            )
            if meddle is not None:
                await meddle(handle)
            outcome = await handle.result()
            await self._expect_replay(handle, golden)
        assert outcome.audit_sequence == authorised + len(self.lines)
        assert outcome.audit_tip == (self.lines[-1].hash if self.lines else tip)
        assert all(status.valid for status in verify(self.folder, key=KEY))
        return outcome

    @property
    def lines(self) -> list[AuditLine]:
        """Those that the remediation wrote."""
        return list(JsonlAuditLog(self.folder, key=KEY).lines("event-1"))[1:]

    @property
    def story(self) -> list[str]:
        """Gates and steps in order."""
        return [
            f"{line.entry.gate} {line.entry.detail.get('step', '')}".strip() for line in self.lines
        ]

    def _authorise(self) -> str:
        """Write what the incident's workflow has on record before it starts a remediation."""
        entry = AuditEntry(
            incident="event-1",
            model="parking",
            correlation_id="c-1",
            sequence=0,
            gate=Gate.AUTHORISED,
            at=NOW,
            actor="policy",
            detail={"plan_hash": PLAN},
        )
        log = JsonlAuditLog(self.folder, key=KEY)
        return log.append(AuditAppend(entries=(entry,), tip=GENESIS)).tip

    def _input(
        self, action: Action, *, margin: float, lasting: timedelta, tip: str
    ) -> RemediationInput:
        back = action is Action.ROLL_BACK
        issued = datetime.now(UTC)
        claims = GrantClaims(
            event_id="event-1",
            model="parking",
            action=action,
            plan_hash=PLAN,
            policy_hash=POLICY,
            champion_version="1",
            target_version="0" if back else None,
            steps=STEPS_OF_ACTION[action],
            spec_hash=compute_digest(a_spec()),
            verification_margin=margin,
            as_of=NOW,
            authority="policy:all_rules",
            issued_at=issued,
            expires_at=issued + lasting,
        )
        order = ActionOrder(
            spec=a_spec(),
            event_id="event-1",
            correlation_id="c-1",
            plan_hash=PLAN,
            policy_hash=POLICY,
            action=action,
            champion_version="1",
            challenger_version="0" if back else None,
            current=a_window(),
            step="remediate",
            key=compute_effect_key("event-1", PLAN, "remediate"),
            grant=JwtMint(key=self.grant_key, secret=SECRET).mint(claims),
        )
        return RemediationInput(
            order=order,
            verification_margin=margin,
            audit_sequence=0 if tip == GENESIS else 1,
            audit_tip=tip,
            heartbeat=self.heartbeat,
        )

    def _workers(self) -> list[Worker]:
        evidence = EvidenceActivities(
            registry=self.registry,
            pipelines=self.pipelines,
            knowledge=FakeKnowledge(),
            seal=HmacEvidenceSeal(audit_key=KEY),
        )
        actions = list_action_activities(
            registry=self.registry,
            pipelines=self.pipelines,
            guard=JwtGuard(key=self.grant_key.public_key(), secret=SECRET),
        )
        return [
            Worker(
                self.client,
                task_queue=names.MAIN_QUEUE,
                workflows=[RemediationWorkflow],
                activities=[AuditActivities(log=self.log).record, evidence.read_registry],
                activity_executor=ThreadPoolExecutor(4),
            ),
            Worker(
                self.client,
                task_queue=names.ACTIONS_QUEUE,
                activities=actions,
                activity_executor=ThreadPoolExecutor(4),
            ),
        ]

    async def _expect_replay(self, handle: Handle, golden: str | None) -> None:
        history = await handle.fetch_history()
        await replay(history)
        record_golden(history, golden and f"remediation/{golden}")


async def replay(history: WorkflowHistory) -> None:
    replayer = Replayer(workflows=[RemediationWorkflow], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(history)


@pytest_asyncio.fixture(loop_scope="session")
async def world(temporal: Client, tmp_path: Path) -> AsyncIterator[World]:
    yield World(temporal, tmp_path)


pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_better_challenger_is_promoted_and_verified(world: World) -> None:
    outcome = await world.remediate(golden="retrained")

    assert [effect.step for effect in outcome.effects] == ["retrain", "promote"]
    assert outcome.verification is not None
    assert outcome.verification.verified
    assert (outcome.undone, outcome.failed) == (False, False)
    assert outcome.detail == "no worse: r2 0.7900 → 0.8900 on 600 rows"
    assert determine_ending(outcome) == "remediated"
    assert world.registry.champion_version == "2"
    assert world.story == [
        "intended retrain",
        "effected retrain",
        "intended promote",
        "effected promote",
        "verified",
    ]


async def test_a_rollback_that_helps_stays(world: World) -> None:
    outcome = await world.remediate(Action.ROLL_BACK, golden="rolled_back")

    assert determine_ending(outcome) == "remediated"
    assert world.registry.champion_version == "0"
    assert world.story == ["intended roll_back", "effected roll_back", "verified"]


async def test_a_challenger_that_is_no_better_changes_nothing(world: World) -> None:
    outcome = await world.measuring(gate={"1": 0.9, "2": 0.9}).remediate(golden="not_promoted")

    assert determine_ending(outcome) == "not_promoted"
    assert outcome.verification is None
    assert outcome.detail.startswith("not promoted: r2 0.9000 → 0.9000")
    assert world.registry.moves == []
    assert world.story[-1] == "effected promote"


async def test_a_new_champion_that_is_worse_is_undone(world: World) -> None:
    outcome = await world.measuring(verification={"1": 0.9, "2": 0.5}).remediate(golden="undone")

    assert determine_ending(outcome) == "undone"
    assert (outcome.undone, outcome.failed) == (True, False)
    assert world.registry.moves == [("1", "2"), ("2", "1")]
    assert world.story[-3:] == ["verified", "intended undo", "undone undo"]


async def test_a_loss_within_the_policy_s_margin_is_kept(world: World) -> None:
    world.measuring(verification={"1": 0.9, "2": 0.89})

    outcome = await world.remediate(margin=0.02)

    assert determine_ending(outcome) == "remediated"


async def test_a_rollback_to_a_worse_version_is_not_carried_out(world: World) -> None:
    outcome = await world.measuring(recent={"1": 0.9, "0": 0.5}).remediate(Action.ROLL_BACK)

    assert determine_ending(outcome) == "not_promoted"
    assert world.registry.moves == []


async def test_what_no_rows_can_verify_is_undone(world: World) -> None:
    outcome = await world.measuring(verification={}).remediate(golden="not_verified")

    assert determine_ending(outcome) == "not_verified"
    assert outcome.undone
    assert world.registry.champion_version == "1"


async def test_a_failing_retraining_leaves_everything_as_it_was(world: World) -> None:
    world.pipelines = Failing("the window is empty")

    outcome = await world.remediate(golden="retraining_failed")

    assert determine_ending(outcome) == "failed"
    assert outcome.detail == "retrain: Refused: the window is empty"
    assert (outcome.effects, outcome.undone) == ((), False)
    assert world.registry.moves == []
    assert world.story == ["intended retrain", "effected retrain"]
    assert world.lines[-1].entry.detail["failure"] == "Refused: the window is empty"


async def test_without_a_valid_grant_nothing_is_done(world: World) -> None:
    outcome = await world.remediate(lasting=timedelta(minutes=-5))

    assert outcome.failed
    assert "expired" in outcome.detail
    assert world.registry.moves == []


async def test_a_promotion_that_fails_halfway_is_undone(world: World) -> None:
    world.registry = FailingOnceMoved(versions=("0", "1"))
    world.measuring()

    outcome = await world.remediate(golden="promotion_failed")

    assert determine_ending(outcome) == "failed"
    assert outcome.undone
    assert outcome.detail == "promote: Refused: the answer was lost"
    assert world.registry.champion_version == "1"
    assert world.story[-3:] == ["effected promote", "intended undo", "undone undo"]


async def test_a_verification_that_fails_is_a_reason_to_undo(world: World) -> None:
    world.pipelines = FailingOn(world.registry, "verification")

    outcome = await world.remediate(golden="verification_failed")

    assert determine_ending(outcome) == "failed"
    assert outcome.undone
    assert world.registry.champion_version == "1"
    assert world.story[-3:] == ["verified", "intended undo", "undone undo"]


async def test_what_somebody_else_made_champion_meanwhile_is_left_alone(world: World) -> None:
    world.pipelines = Meddling(world.registry)

    outcome = await world.remediate()

    assert outcome.failed
    assert not outcome.undone
    assert "not undone: somebody else has made version 3 champion" in outcome.detail
    assert world.registry.champion_version == "3"


@pytest.mark.parametrize("action", [Action.RETRAIN, Action.ROLL_BACK])
async def test_a_plan_whose_champion_a_twin_has_replaced_is_superseded(
    world: World, action: Action
) -> None:
    world.registry.champion_version = "3"

    outcome = await world.remediate(action)

    assert outcome.failed
    assert determine_ending(outcome) == "superseded"
    assert world.registry.moves == []


async def test_a_plan_that_another_reason_stopped_is_not_superseded(world: World) -> None:
    world.pipelines = FailingOn(world.registry, "verification")

    outcome = await world.remediate()

    assert not outcome.superseded
    assert determine_ending(outcome) == "failed"


async def test_an_undo_that_fails_says_what_may_still_be_champion(world: World) -> None:
    world.registry = Stubborn(versions=("0", "1"))
    world.measuring(verification={"1": 0.9, "2": 0.5})

    outcome = await world.remediate(golden="undo_failed")

    assert determine_ending(outcome) == "failed"
    assert not outcome.undone
    assert outcome.detail.endswith("undo: Refused: no more moves; version 2 may still be champion")


async def test_what_cannot_be_recorded_is_not_begun(world: World) -> None:
    world.log = Deaf(world.log, from_sequence=1)

    outcome = await world.remediate()

    assert outcome.failed
    assert (
        "retrain: the intent could not be recorded: Refused: the log was edited" in outcome.detail
    )
    assert world.registry.known == ["0", "1"]


async def test_what_was_changed_is_undone_even_when_that_cannot_be_recorded(world: World) -> None:
    world.log = Deaf(world.log, from_sequence=4)
    world.measuring(verification={"1": 0.9, "2": 0.5})

    outcome = await world.remediate()

    assert outcome.failed
    assert outcome.undone
    assert "could not be recorded" in outcome.detail
    assert world.registry.champion_version == "1"


async def test_a_cancelled_retraining_is_ended_and_nothing_is_changed(world: World) -> None:
    world.pipelines = waiting = Waiting(world.registry, "retraining")
    world.heartbeat = timedelta(seconds=1)

    outcome = await world.remediate(meddle=waiting.cancel, golden="retraining_cancelled")

    assert waiting.stopped
    assert outcome.failed
    assert outcome.detail == "retrain: cancelled"
    assert world.registry.moves == []
    assert world.story == ["intended retrain", "effected retrain"]


async def test_what_is_verified_stays_although_it_was_cancelled_meanwhile(world: World) -> None:
    world.pipelines = waiting = Waiting(world.registry, "verification", until_released=True)

    outcome = await world.remediate(meddle=waiting.cancel)

    assert determine_ending(outcome) == "remediated"
    assert world.registry.moves == [("1", "2")]
    assert world.story[-1] == "verified"


async def test_a_cancellation_while_promoting_undoes_the_promotion(world: World) -> None:
    world.pipelines = waiting = Waiting(world.registry, "gate", until_released=True)

    outcome = await world.remediate(meddle=waiting.cancel)

    assert outcome.failed
    assert "cancelled" in outcome.detail
    assert world.registry.champion_version == "1"


async def test_a_retrained_version_is_found_again_and_not_made_twice(world: World) -> None:
    first = await world.measuring(gate={}).remediate()

    world.folder = world.folder / "second"
    world.log = JsonlAuditLog(world.folder, key=KEY)
    second = await world.measuring(gate={}).remediate()

    assert [effect.version for effect in first.effects] == ["2", "2"]
    assert second.effects[0].reused
    assert world.registry.known == ["0", "1", "2"]


async def test_a_verification_that_leaves_no_mark_in_the_registry_is_undone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foreign worker took the task and said that all is well."""
    monkeypatch.setattr(world.registry, "mark_verified", lambda *_, **__: None)

    outcome = await world.remediate()

    assert outcome.undone
    assert outcome.verification is not None
    assert "the registry does not show that it was verified" in outcome.verification.detail
    assert world.registry.champion_version == "1"


async def test_a_cancellation_while_the_mark_is_looked_for_gives_up_no_good_champion(
    world: World,
) -> None:
    """The look goes to its end: without it, nobody would know whether the champion may stay."""
    world.registry = slow = SlowAfterVerification(versions=("0", "1"))
    world.pipelines = FakePipelines(slow, BETTER)

    async def cancel(handle: Handle) -> None:
        await until(slow.reached.is_set)
        await handle.cancel()
        # Temporal tells a workflow of it once its local activity has lasted for eight seconds.
        await asyncio.sleep(11)
        slow.go_on.set()

    outcome = await world.remediate(meddle=cancel)

    assert outcome.verification is not None
    assert outcome.verification.verified
    assert not outcome.undone
    assert world.registry.champion_version == "2"


async def test_a_remediation_that_no_line_authorises_writes_and_does_nothing(world: World) -> None:
    """Somebody with access to Temporal started it by hand."""
    outcome = await world.remediate(authorised=False)

    assert outcome.failed
    assert "authorised no remediation" in outcome.detail
    assert JsonlAuditLog(world.folder, key=KEY).lines("event-1") == ()
    assert world.registry.known == ["0", "1"]


@pytest.mark.parametrize("name", GOLDEN)
async def test_a_golden_history_still_replays(name: str) -> None:
    await replay(read_golden(f"remediation/{name}"))


class Failing:
    """No pipeline works."""

    def __init__(self, why: str) -> None:
        self.why = why

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        raise Refused(self.why)


class FailingOn(FakePipelines):
    """One slice cannot be measured."""

    def __init__(self, registry: FakeRegistry, part: str) -> None:
        super().__init__(registry, BETTER)
        self.part = part

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        if params.get("slice") == self.part:
            msg = f"{self.part} cannot be measured"
            raise Refused(msg)
        return await super().run(pipeline, params)


class Meddling(FakePipelines):
    """While the new champion is measured, somebody makes another one champion."""

    def __init__(self, registry: FakeRegistry) -> None:
        super().__init__(registry, BETTER | {"verification": {}})
        self.registry = registry

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        if params.get("slice") == "verification":
            self.registry.champion_version = "3"
        return await super().run(pipeline, params)


class FailingOnceMoved(FakeRegistry):
    """The first move is made, but its answer is lost."""

    def set_champion(self, model: str, version: str, *, expected: str | None, key: str) -> bool:
        super().set_champion(model, version, expected=expected, key=key)
        if len(self.moves) == 1:
            msg = "the answer was lost"
            raise Refused(msg)
        return True


class Stubborn(FakeRegistry):
    """Moves once only."""

    def set_champion(self, model: str, version: str, *, expected: str | None, key: str) -> bool:
        if self.moves:
            msg = "no more moves"
            raise Refused(msg)
        return super().set_champion(model, version, expected=expected, key=key)


class SlowAfterVerification(FakeRegistry):
    """Lists versions once the test lets it, from the mark of the verification on."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.promoted["0"] = ["an earlier promotion"]
        self.reached, self.go_on = threading.Event(), threading.Event()

    def versions(self, model: str, *, limit: int = 10) -> tuple[ModelVersion, ...]:
        if self.verified:
            self.reached.set()
            self.go_on.wait(18)
        return super().versions(model, limit=limit)


class Deaf:
    """Refuses entries from some sequence on."""

    def __init__(self, log: AuditLog, *, from_sequence: int) -> None:
        self._log, self._from = log, from_sequence

    def append(self, request: AuditAppend) -> ChainEnd:
        if request.entries[-1].sequence >= self._from:
            msg = "the log was edited"
            raise Refused(msg)
        return self._log.append(request)

    def lines(self, incident: str, *, model: str | None = None) -> list[AuditLine]:
        return list(self._log.lines(incident, model=model))

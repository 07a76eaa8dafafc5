"""Effects are granted, keyed, compared and undone; nothing else happens to a model."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.remediation import RemediationActivities
from tests.builders import NOW, a_spec, a_window
from tests.fakes import FakePipelines, FakeRegistry
from tests.waiting import until
from trimtab.contracts.base import compute_digest
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.model import GateOutcome, ModelVersion
from trimtab.contracts.ports import PipelineRunner, Refused, Unavailable
from trimtab.contracts.remediation import (
    Action,
    ActionOrder,
    GrantClaims,
    RegistryEffect,
    Step,
    Verification,
    compute_effect_key,
)

PLAN, POLICY = "a" * 64, "b" * 64
BETTER = {
    "gate": {"1": 0.80, "2": 0.90},
    "verification": {"1": 0.79, "2": 0.89},
    "recent": {"1": 0.70, "0": 0.90},
}
Change = Mapping[str, Any]


class Guard:
    """Takes the claims as they are; those of 2020 have expired."""

    def check(self, token: str, *, expired_too: bool = False) -> GrantClaims:
        if token == "forged":
            msg = "the grant is not valid: Signature verification failed"
            raise Refused(msg)
        claims = GrantClaims.model_validate_json(token)
        if claims.expires_at.year == 2020 and not expired_too:
            msg = "the grant is not valid: Signature has expired"
            raise Refused(msg)
        return claims


def some_claims(**changes: Any) -> GrantClaims:
    fields: dict[str, Any] = {
        "event_id": "event-1",
        "model": "parking",
        "action": Action.RETRAIN,
        "plan_hash": PLAN,
        "policy_hash": POLICY,
        "champion_version": "1",
        "steps": (Step.RETRAIN, Step.PROMOTE),
        "spec_hash": compute_digest(a_spec()),
        "as_of": NOW,
        "authority": "policy:all_rules",
        "issued_at": NOW,
        "expires_at": NOW,
    }
    return GrantClaims(**(fields | changes))


def an_order(step: Step, *, claims: Change | None = None, **changes: Any) -> ActionOrder:
    granted: dict[str, Any] = {
        "spec_hash": compute_digest(changes.get("spec", a_spec())),
        "verification_margin": changes.get("verification_margin", 0.0),
    }
    if changes.get("action") is Action.ROLL_BACK:
        granted |= {
            "action": Action.ROLL_BACK,
            "target_version": "0",
            "steps": (Step.ROLL_BACK,),
        }
    fields: dict[str, Any] = {
        "spec": a_spec(),
        "event_id": "event-1",
        "correlation_id": "c-1",
        "plan_hash": PLAN,
        "policy_hash": POLICY,
        "action": Action.RETRAIN,
        "champion_version": "1",
        "challenger_version": None if step is Step.RETRAIN else "2",
        "current": a_window(),
        "step": step,
        "key": compute_effect_key("event-1", PLAN, step),
        "grant": some_claims(**(granted | dict(claims or {}))).model_dump_json(),
    }
    return ActionOrder(**(fields | changes))


def a_rollback(step: Step = Step.ROLL_BACK, **changes: Any) -> ActionOrder:
    return an_order(step, **({"action": Action.ROLL_BACK, "challenger_version": "0"} | changes))


class World:
    """A registry with champion 1, an older version 0, and activities over it."""

    def __init__(self, metrics: Mapping[str, Mapping[str, float]] = BETTER) -> None:
        self.registry = FakeRegistry(versions=("0", "1"))
        self.registry.promoted["0"] = ["an earlier promotion"]
        self.pipelines = FakePipelines(self.registry, metrics)
        self.using(self.pipelines)

    def using(self, pipelines: PipelineRunner) -> "World":
        self.activities = RemediationActivities(
            registry=self.registry, pipelines=pipelines, guard=Guard()
        )
        return self

    async def retrain(self, **changes: Any) -> RegistryEffect:
        order = an_order(Step.RETRAIN, **changes)
        return await ActivityEnvironment().run(self.activities.retrain_challenger, order)

    async def promote(self, **changes: Any) -> RegistryEffect:
        order = an_order(Step.PROMOTE, **changes)
        return await ActivityEnvironment().run(self.activities.promote_challenger, order)

    async def verify(self, order: ActionOrder | None = None) -> Verification:
        order = order or an_order(Step.VERIFY)
        return await ActivityEnvironment().run(self.activities.verify, order)

    async def roll_back(self, order: ActionOrder | None = None) -> RegistryEffect:
        order = order or a_rollback()
        return await ActivityEnvironment().run(self.activities.roll_back_champion, order)

    def undo(self, **changes: Any) -> RegistryEffect:
        return self.activities.undo(an_order(Step.UNDO, **changes))


@pytest.fixture
def world() -> World:
    return World()


async def test_a_challenger_is_trained_on_what_is_labelled_as_of_the_window_s_end(
    world: World,
) -> None:
    effect = await world.retrain()

    assert (effect.version, effect.applied, effect.reused, effect.rows) == ("2", True, False, 9000)
    assert world.pipelines.calls == [
        (
            "retraining",
            {
                "model": "parking",
                "as_of": NOW.isoformat(),
                "key": effect.key,
                "event_id": "event-1",
                "correlation_id": "c-1",
                "plan_hash": PLAN,
                "corrupt_too": False,
            },
        )
    ]
    assert world.registry.moves == []


async def test_only_a_person_may_have_a_corrupt_window_learnt_from(world: World) -> None:
    await world.retrain(claims={"authority": "person:ada"})

    ((_, asked),) = world.pipelines.calls
    assert asked["corrupt_too"] is True


async def test_retraining_again_finds_the_version_of_the_first_time(world: World) -> None:
    await world.retrain()

    again = await world.retrain()

    assert (again.version, again.reused) == ("2", True)
    assert len(world.pipelines.calls) == 1


async def test_a_version_that_the_registry_does_not_hold_is_not_believed(world: World) -> None:
    class Liar:
        async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
            return {"version": "7"}

    with pytest.raises(ApplicationError, match="reports version 7") as caught:
        await world.using(Liar()).retrain()

    assert caught.value.non_retryable


async def test_a_better_challenger_becomes_champion(world: World) -> None:
    await world.retrain()

    effect = await world.promote()

    assert (effect.applied, effect.reused) == (True, False)
    assert (effect.version, effect.previous_version) == ("2", "1")
    assert (effect.before, effect.after, effect.rows) == (0.80, 0.90, 600)
    assert world.registry.moves == [("1", "2")]
    assert world.pipelines.calls[-1] == (
        "evaluation",
        {
            "model": "parking",
            "versions": ["1", "2"],
            "as_of": NOW.isoformat(),
            "slice": "gate",
            "baseline": "1",
            "cross_fit": True,
            "corrupt_too": False,
        },
    )


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"1": 0.50, "2": 0.74}, "not better by more than 0.25"),
        ({"1": 0.50, "2": 0.75}, "cannot tell yet: 600 rows; look again with the next window"),
        ({"1": -2.0, "2": 0.05}, "below 0.100, which a useful model reaches"),
        ({"1": 0.80, "2": 0.70}, "0.8000 → 0.7000 on 600 rows"),
        ({"2": 1.50}, "no labelled rows"),
        ({"1": 0.90}, "no labelled rows"),
        ({}, "no labelled rows"),
    ],
)
async def test_a_challenger_that_is_not_better_by_more_than_the_margin_stays_one(
    gate: Mapping[str, float], said: str
) -> None:
    world = World({"gate": gate})
    await world.retrain()

    spec = a_spec(promotion_margin=0.25)
    effect = await world.promote(spec=spec)

    assert not effect.applied
    assert said in effect.detail
    assert (effect.before, effect.after) == (gate.get("1"), gate.get("2"))
    assert world.registry.moves == []


async def test_promoting_again_changes_nothing_and_tells_the_same(world: World) -> None:
    await world.retrain()
    first = await world.promote()

    again = await world.promote()

    assert again == first.model_copy(update={"reused": True})
    assert world.registry.moves == [("1", "2")]


async def test_only_what_this_plan_trained_is_promoted(world: World) -> None:
    with pytest.raises(ApplicationError, match="was not made by this plan's retraining"):
        await world.promote()

    await world.retrain()
    with pytest.raises(ApplicationError, match="which made 2"):
        await world.promote(challenger_version="0")

    assert world.registry.moves == []


async def test_a_rollback_makes_the_granted_version_champion(world: World) -> None:
    effect = await world.roll_back()
    again = await world.roll_back()

    assert (effect.version, effect.previous_version, effect.reused) == ("0", "1", False)
    assert again.reused
    assert world.registry.moves == [("1", "0")]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (a_rollback(challenger_version="7"), "target_version is '7', but '0' is granted"),
        (a_rollback(challenger_version=None), "target_version is None, but '0' is granted"),
        (
            a_rollback(challenger_version="1", claims={"target_version": "1"}),
            "a rollback needs another version",
        ),
        (
            a_rollback(challenger_version=None, claims={"target_version": None}),
            "a rollback needs another version",
        ),
    ],
)
async def test_a_rollback_to_any_other_version_is_refused(
    world: World, order: ActionOrder, said: str
) -> None:
    with pytest.raises(ApplicationError, match=said):
        await world.roll_back(order)

    assert world.registry.moves == []


FORGERIES: list[tuple[Change, str]] = [
    ({"claims": {"spec_hash": "c" * 64}}, "spec_hash"),
    ({"claims": {"verification_margin": 1e9}}, "verification_margin"),
    ({"verification_margin": 1e9, "claims": {"verification_margin": 0.0}}, "verification_margin"),
    ({"grant": "forged"}, "Signature verification failed"),
    ({"claims": {"expires_at": NOW.replace(year=2020)}}, "expired"),
    ({"claims": {"event_id": "event-2"}}, "event_id"),
    ({"claims": {"model": "another"}}, "model"),
    ({"claims": {"action": Action.MONITOR}}, "action"),
    ({"claims": {"plan_hash": "c" * 64}}, "plan_hash"),
    ({"claims": {"policy_hash": "c" * 64}}, "policy_hash"),
    ({"claims": {"champion_version": "9"}}, "champion_version"),
    ({"claims": {"champion_version": None}}, "champion_version"),
    ({"champion_version": None, "claims": {"champion_version": None}}, "had no champion"),
    ({"step": "another"}, "is not ordered"),
    ({"key": "d" * 64}, "is not ordered"),
    ({"spec": a_spec(name="another")}, "model"),
]
CASES = [
    (step, changes, said)
    for step in (Step.RETRAIN, Step.PROMOTE, Step.ROLL_BACK, Step.UNDO)
    for changes, said in FORGERIES
    if (step, said) != (Step.UNDO, "expired")
]
"""Every step with every forgery; but an undo tolerates an expired grant."""


async def _act(world: World, order: ActionOrder, step: Step) -> None:
    activities = world.activities
    if step is Step.RETRAIN:
        await ActivityEnvironment().run(activities.retrain_challenger, order)
    elif step is Step.PROMOTE:
        await ActivityEnvironment().run(activities.promote_challenger, order)
    elif step is Step.ROLL_BACK:
        await world.roll_back(order)
    else:
        activities.undo(order)


def _order(step: Step, changes: Change) -> ActionOrder:
    order = (a_rollback if step is Step.ROLL_BACK else an_order)(
        step, **{name: value for name, value in changes.items() if name != "step"}
    )
    return order.model_copy(update={"step": changes.get("step", step)})


@pytest.mark.parametrize(("step", "changes", "said"), CASES)
async def test_no_step_is_taken_without_a_grant_for_it(
    world: World, step: Step, changes: Change, said: str
) -> None:
    await world.retrain()
    order = _order(step, changes)

    with pytest.raises(ApplicationError, match=said) as caught:
        await _act(world, order, step)

    assert caught.value.non_retryable
    assert world.registry.moves == []
    assert len(world.pipelines.calls) == 1


async def test_a_grant_to_retrain_is_none_to_roll_back(world: World) -> None:
    order = a_rollback(claims={"action": Action.RETRAIN})

    with pytest.raises(ApplicationError, match=r"action is .*roll_back"):
        await world.roll_back(order)
    with pytest.raises(ApplicationError, match=r"action is .*retrain"):
        await world.retrain(claims={"action": Action.ROLL_BACK}, action=Action.ROLL_BACK)


@pytest.mark.parametrize("step", [Step.RETRAIN, Step.PROMOTE, Step.ROLL_BACK])
async def test_a_champion_that_changed_since_the_decision_stops_every_step(
    world: World, step: Step
) -> None:
    await world.retrain()
    world.registry.champion_version = "3"
    order = _order(step, {})

    with pytest.raises(ApplicationError, match="is version 3, but it was 1"):
        await _act(world, order, step)

    assert world.registry.moves == []


async def test_a_model_that_lost_its_champion_is_left_alone(world: World) -> None:
    world.registry.champion_version = None

    with pytest.raises(ApplicationError, match="is version None"):
        await world.retrain()


async def test_after_our_own_promotion_retraining_still_finds_its_version(world: World) -> None:
    await world.retrain()
    await world.promote()

    assert (await world.retrain()).reused


async def test_a_new_champion_that_is_no_worse_is_verified(world: World) -> None:
    await world.retrain()
    await world.promote()

    found = await world.verify()

    assert found.verified
    assert (found.before, found.after, found.rows) == (0.79, 0.89, 600)
    assert world.pipelines.calls[-1][1]["slice"] == "verification"


async def test_a_rollback_is_verified_on_all_recent_rows(world: World) -> None:
    await world.roll_back()

    found = await world.verify(a_rollback(Step.VERIFY))

    assert (found.verified, found.before, found.after) == (True, 0.70, 0.90)
    assert world.pipelines.calls[-1][1]["slice"] == "recent"


@pytest.mark.parametrize(
    ("after", "margin", "verified"),
    [(0.80, 0.0, True), (0.79, 0.0, False), (0.79, 0.02, True), (0.77, 0.02, False)],
)
async def test_worse_is_measured_by_the_policy_s_margin(
    after: float, margin: float, *, verified: bool
) -> None:
    world = World(BETTER | {"verification": {"1": 0.80, "2": after}})
    await world.retrain()
    await world.promote()

    found = await world.verify(an_order(Step.VERIFY, verification_margin=margin))

    assert found.verified is verified
    assert found.detail.startswith("no worse" if verified else "worse")


async def test_a_new_champion_of_no_use_is_not_verified_however_bad_the_former_one() -> None:
    world = World(BETTER | {"verification": {"1": -2.0, "2": 0.05}})
    await world.retrain()
    await world.promote()

    found = await world.verify()

    assert not found.verified
    assert "below 0.100" in found.detail


async def test_a_gate_that_cannot_tell_says_so_in_its_effect() -> None:
    world = World(BETTER | {"gate": {"1": 0.800, "2": 0.8045}})
    await world.retrain()

    effect = await world.promote()

    assert (effect.applied, effect.gate) == (False, GateOutcome.CANNOT_TELL)
    assert effect.detail.startswith("not promoted: cannot tell yet: 600 rows")
    assert effect.comparison is not None
    assert effect.comparison.low == pytest.approx(0.0032, abs=0.0001)


async def test_versions_that_were_not_compared_row_by_row_are_not_promoted(world: World) -> None:
    class Blind:
        async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
            report = await world.pipelines.run(pipeline, params)
            return {**report, "paired": []} if pipeline == "evaluation" else report

    world.using(Blind())
    await world.retrain()

    effect = await world.promote()

    assert not effect.applied
    assert effect.detail == "not promoted: cannot tell yet: not compared"


async def test_a_rollback_to_a_version_of_no_use_moves_nothing() -> None:
    world = World({"recent": {"1": -0.90, "0": 0.04}})

    effect = await world.roll_back()

    assert not effect.applied
    assert effect.detail.startswith("not rolled back: r2 -0.9000 → 0.0400")
    assert world.registry.moves == []


async def test_without_rows_nothing_is_verified() -> None:
    world = World(BETTER | {"verification": {}})
    await world.retrain()
    await world.promote()

    found = await world.verify()

    assert (found.verified, found.rows) == (False, 0)
    assert found.detail == "not verified: no labelled rows"


async def test_a_champion_that_is_not_the_expected_one_is_not_verified(world: World) -> None:
    found = await world.verify()

    assert (found.verified, found.rows) == (False, 0)
    assert "champion is version 1, not 2" in found.detail
    assert world.pipelines.calls == []


async def test_a_champion_that_this_plan_did_not_make_is_not_marked_as_verified(
    world: World,
) -> None:
    """Whoever reads the grant in a history can name the present champion as the challenger."""
    found = await world.verify(an_order(Step.VERIFY, challenger_version="1"))

    assert (found.verified, found.rows) == (False, 0)
    assert "this plan did not make version 1 champion" in found.detail
    assert world.pipelines.calls == []


async def test_an_undo_brings_the_former_champion_back_once(world: World) -> None:
    await world.retrain()
    await world.promote()

    effect = world.undo()
    again = world.undo()

    assert (effect.version, effect.previous_version) == ("1", "2")
    assert (effect.applied, effect.reused) == (True, False)
    assert (again.applied, again.reused) == (True, True)
    assert world.registry.moves == [("1", "2"), ("2", "1")]


async def test_an_undo_of_a_rollback_brings_the_newer_version_back(world: World) -> None:
    await world.roll_back()

    world.activities.undo(a_rollback(Step.UNDO))

    assert world.registry.champion_version == "1"


async def test_an_undo_may_come_after_the_grant_expired(world: World) -> None:
    await world.retrain()
    await world.promote()

    effect = world.undo(claims={"expires_at": NOW.replace(year=2020)})

    assert effect.applied


async def test_an_undo_leaves_alone_what_somebody_else_made_champion(world: World) -> None:
    await world.retrain()
    await world.promote()
    world.registry.champion_version = "3"

    effect = world.undo()

    assert not effect.applied
    assert effect.detail.startswith("not undone: somebody else has made version 3")
    assert world.registry.champion_version == "3"


async def test_what_was_undone_is_not_promoted_by_a_late_attempt(world: World) -> None:
    await world.retrain()
    nothing_moved = world.undo()

    with pytest.raises(ApplicationError, match="was undone"):
        await world.promote()
    with pytest.raises(ApplicationError, match="was undone"):
        await world.retrain()

    assert not nothing_moved.applied
    assert world.registry.champion_version == "1"


async def test_a_busy_registry_may_be_tried_again(world: World) -> None:
    class Busy(FakeRegistry):
        def champion(self, model: str) -> ModelVersion | None:
            msg = "database is locked"
            raise Unavailable(msg)

    world.registry = Busy()

    with pytest.raises(Unavailable):
        await world.using(world.pipelines).retrain()


class Endless:
    """A pipeline that runs until it is stopped."""

    def __init__(self) -> None:
        self.stopped = False

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.stopped = True
            raise
        return {}


async def test_retraining_heartbeats_and_a_cancellation_ends_it(world: World) -> None:
    pipelines = Endless()
    world.using(pipelines)
    environment = ActivityEnvironment()
    environment.info = environment.info.__class__(
        **{**environment.info.__dict__, "heartbeat_timeout": timedelta(milliseconds=30)}
    )
    beats: list[Any] = []
    environment.on_heartbeat = lambda *details: beats.append(details)

    running = asyncio.create_task(
        environment.run(world.activities.retrain_challenger, an_order(Step.RETRAIN))
    )
    await until(lambda: len(beats) > 5)
    environment.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert pipelines.stopped


async def test_a_rollback_to_a_version_that_is_no_better_now_moves_nothing() -> None:
    world = World({"recent": {"1": 0.90, "0": 0.45}})

    effect = await world.roll_back()

    assert not effect.applied
    assert effect.detail.startswith("not rolled back: version 0 has 0.450 on the newest rows")
    assert world.registry.moves == []


@pytest.mark.parametrize("step", [Step.RETRAIN, Step.PROMOTE, Step.ROLL_BACK])
async def test_a_step_that_the_grant_does_not_name_is_refused(world: World, step: Step) -> None:
    await world.retrain()
    order = _order(step, {"claims": {"steps": ()}})

    with pytest.raises(ApplicationError, match="the grant names no step"):
        await _act(world, order, step)

    assert world.registry.moves == []


def frozen() -> World:
    world = World()
    world.registry.freezes[None] = Freeze(reason="an outage", at=NOW)
    return world


async def test_while_frozen_no_retraining_begins() -> None:
    world = frozen()

    with pytest.raises(ApplicationError, match="every model is frozen"):
        await world.retrain()

    assert world.pipelines.calls == []


async def test_a_freeze_after_the_retraining_stops_the_promotion() -> None:
    world = World()
    await world.retrain()
    world.registry.freezes["parking"] = Freeze(model="parking")

    with pytest.raises(ApplicationError, match="parking is frozen"):
        await world.promote()

    assert world.registry.moves == []


async def test_what_was_verified_is_not_undone_any_more(world: World) -> None:
    await world.retrain()
    await world.promote()
    await world.verify()

    effect = world.undo()

    assert not effect.applied
    assert "was verified" in effect.detail
    assert world.registry.champion_version == "2"


async def test_a_freeze_of_another_model_stops_nothing() -> None:
    world = World()
    world.registry.freezes["prices"] = Freeze(model="prices")
    await world.retrain()

    assert (await world.promote()).applied


async def test_while_frozen_no_rollback_happens() -> None:
    world = frozen()

    with pytest.raises(ApplicationError, match="every model is frozen"):
        await world.roll_back()

    assert world.registry.moves == []


async def test_while_frozen_an_undo_still_happens() -> None:
    world = World()
    await world.retrain()
    await world.promote()
    world.registry.freezes[None] = Freeze()

    undone = world.undo()

    assert undone.applied
    assert world.registry.champion_version == "1"


async def test_a_rollback_to_a_version_that_never_served_moves_nothing(world: World) -> None:
    world.registry.promoted.clear()

    effect = await world.roll_back()

    assert not effect.applied
    assert "is not known to have been champion before" in effect.detail
    assert world.registry.moves == []


async def test_the_grant_of_an_incident_that_has_ended_allows_no_step(world: World) -> None:
    await world.retrain()
    await world.promote()
    world.registry.ended.add(("parking", "event-1"))
    world.registry.moves.clear()
    world.pipelines.calls.clear()

    for step in (world.retrain, world.promote, world.verify):
        with pytest.raises(ApplicationError, match="'event-1' of 'parking' has ended") as caught:
            await step()
        assert caught.value.non_retryable
    with pytest.raises(ApplicationError, match="has ended"):
        world.undo()

    assert world.registry.moves == []
    assert world.registry.verified == {}
    assert world.pipelines.calls == []


async def test_an_incident_that_ends_during_the_comparison_promotes_nothing(world: World) -> None:
    await world.retrain()
    order = an_order(Step.PROMOTE)
    run = world.pipelines.run

    async def end_meanwhile(pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        world.registry.ended.add(("parking", "event-1"))
        return await run(pipeline, params)

    world.pipelines.run = end_meanwhile  # type: ignore[method-assign]

    with pytest.raises(ApplicationError, match="has ended"):
        await ActivityEnvironment().run(world.activities.promote_challenger, order)

    assert world.registry.moves == []


async def test_a_rollback_of_an_incident_that_has_ended_moves_nothing(world: World) -> None:
    world.registry.ended.add(("parking", "event-1"))

    with pytest.raises(ApplicationError, match="has ended"):
        await world.roll_back()

    assert world.registry.moves == []


async def test_the_end_of_another_incident_stops_nothing(world: World) -> None:
    world.registry.ended.add(("parking", "event-2"))
    await world.retrain()

    assert (await world.promote()).applied

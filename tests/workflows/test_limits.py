"""Limits that add up and switches that stop everything, in a whole incident."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from tests.builders import NOW, a_spec, an_event, an_incident
from tests.workflows.test_drift_response import PATIENT, answer, waiting
from tests.workflows.world import BETTER, Handle, World
from trimtab.contracts.audit import Gate
from trimtab.contracts.budget import Breaker, Budget, Budgets
from trimtab.contracts.decision import Limits, PolicyQuestion, Verdict
from trimtab.contracts.drift import PerformanceChange, Severity
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.incident import Ending, IncidentInput
from trimtab.contracts.model import Tier

pytestmark = pytest.mark.asyncio(loop_scope="session")

NO_BETTER = {**BETTER, "gate": {"1": 0.9, "2": 0.9}}
QUICK: dict[str, Any] = {
    "approval_timeout": timedelta(seconds=1),
    "reminder_after": timedelta(seconds=1),
}


def incident(limits: Limits, **changes: Any) -> IncidentInput:
    """Return an incident about a loss of three tolerances, which is one of high severity."""
    high = PerformanceChange(metric="r2", reference=0.84, current=0.78, rows=3000, degraded=True)
    severity = changes.pop("severity", Severity.HIGH)
    event = an_event(f"event-{uuid4().hex[:8]}", severity=severity, performance=high)
    return an_incident(event, analyst="script/retrain", limits=limits, **changes)


async def test_the_audit_log_keeps_what_a_decision_was_derived_from(
    temporal: Client, tmp_path: Path
) -> None:
    world, asked = World(temporal, tmp_path), incident(Limits())

    report = await world.respond(asked)

    (line,) = [
        each
        for each in world.audit.lines(report.event_id, model=report.model)
        if each.entry.gate is Gate.DECIDED
    ]
    recorded = line.entry.detail["question"]
    assert isinstance(recorded, dict)
    question = PolicyQuestion.model_validate({**recorded, "limits": asked.limits})
    assert question.facts.ledger is not None
    assert report.decision is not None
    assert question.now == report.decision.decided_at


async def test_a_refused_retraining_starts_a_cooldown(temporal: Client, tmp_path: Path) -> None:
    world = World(temporal, tmp_path, metrics=NO_BETTER)

    first = await world.respond(incident(Limits()))
    second = await world.respond(incident(Limits()))

    assert first.ending is Ending.NOT_PROMOTED
    assert second.decision is not None
    assert (second.decision.verdict, second.decision.rule) == (Verdict.MONITOR, "cooldown")
    assert [name for name, _ in world.pipelines.calls].count("retraining") == 1


async def test_of_many_refused_retrainings_a_budget_allows_as_many_as_it_says(
    temporal: Client, tmp_path: Path
) -> None:
    world = World(temporal, tmp_path, metrics=NO_BETTER)
    budgets = Budgets(each_model=Budget(actions_per_day=2))
    limits = Limits(budgets=budgets, cooldown=timedelta(0), **QUICK)

    reports = [await world.respond(incident(limits)) for _ in range(4)]

    rules = [report.decision.rule for report in reports if report.decision]
    assert rules == ["all_rules", "all_rules", "budget", "budget"]
    assert [name for name, _ in world.pipelines.calls].count("retraining") == 2


async def test_the_breaker_opens_after_undone_remediations(
    temporal: Client, tmp_path: Path
) -> None:
    world = World(temporal, tmp_path, metrics={**BETTER, "verification": {"1": 0.9, "2": 0.5}})
    limits = Limits(breaker=Breaker(failures=1), cooldown=timedelta(0), **QUICK)

    first = await world.respond(incident(limits))
    second = await world.respond(incident(limits))

    assert first.ending is Ending.UNDONE
    assert second.decision is not None
    assert (second.decision.verdict, second.decision.rule) == (Verdict.ESCALATE, "breaker")


async def test_a_frozen_model_is_not_changed_and_a_person_is_asked(
    temporal: Client, tmp_path: Path
) -> None:
    world = World(temporal, tmp_path)
    world.registry.freezes["parking"] = Freeze(model="parking", reason="an audit", at=NOW)

    report = await world.respond(incident(Limits(**QUICK)))

    assert report.decision is not None
    assert report.decision.rule == "freeze"
    assert report.ending is Ending.EXPIRED
    assert world.registry.moves == []


async def test_a_freeze_stops_work_in_flight_even_if_a_person_approved_it(
    temporal: Client, tmp_path: Path
) -> None:
    world = World(temporal, tmp_path)
    asked = incident(PATIENT, spec=a_spec(tier=Tier.CRITICAL))

    async def freeze_and_approve(handle: Handle) -> None:
        view = await waiting(handle)
        world.registry.freezes[None] = Freeze(reason="stop everything", at=NOW)
        await handle.signal("human_decision", answer(view.plan_hash))

    report = await world.respond(asked, play=freeze_and_approve)

    assert report.ending is Ending.FAILED
    assert "every model is frozen" in report.failure
    assert world.registry.moves == []
    assert "retraining" not in [name for name, _ in world.pipelines.calls]


async def test_shadow_mode_records_the_decision_and_changes_nothing(
    temporal: Client, tmp_path: Path
) -> None:
    world = World(temporal, tmp_path)

    report = await world.respond(incident(Limits(shadow=True)))

    assert report.decision is not None
    assert report.decision.reason == "shadow: would have executed retrain"
    assert report.ending is Ending.MONITORED
    assert world.registry.moves == []


async def test_in_shadow_mode_an_approval_carries_nothing_out(
    temporal: Client, tmp_path: Path
) -> None:
    world = World(temporal, tmp_path)
    limits = PATIENT.model_copy(update={"shadow_models": ("parking",)})

    async def approve(handle: Handle) -> None:
        view = await waiting(handle)
        assert view.page is not None
        assert "nothing is carried out in shadow mode" in " ".join(view.page.split())
        await handle.signal("human_decision", answer(view.plan_hash))

    report = await world.respond(incident(limits, spec=a_spec(tier=Tier.CRITICAL)), play=approve)

    assert report.ending is Ending.ACKNOWLEDGED
    assert world.registry.moves == []


async def test_an_incident_whose_ledger_cannot_be_read_asks_a_person(
    temporal: Client, tmp_path: Path
) -> None:
    world = World(temporal, tmp_path)
    folder = tmp_path / "audit" / ".ledger"
    folder.mkdir(parents=True)
    (folder / "reservations.json").write_text("rubbish")
    budgets = Budgets(all_models=Budget(cost_per_month=1000))

    report = await world.respond(incident(Limits(budgets=budgets, **QUICK)))

    assert report.decision is not None
    assert report.decision.rule == "budget"
    assert "not known" in report.decision.reason

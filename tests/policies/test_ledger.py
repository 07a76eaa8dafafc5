"""What was done so far adds up, whatever the order, and never shrinks when more is done."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.incident import collect_facts, find_last_action
from policies.ledger import (
    ActionAttempt,
    add_up,
    build_reservation,
    build_usage_query,
    convert_reservation,
    summarise_chain,
)
from tests.builders import NOW, a_plan, an_investigation
from trimtab.contracts.audit import AuditEntry, Gate
from trimtab.contracts.base import compute_digest
from trimtab.contracts.budget import Breaker, LedgerFacts, ModelUsage, Spending, UsageQuery
from trimtab.contracts.decision import Limits
from trimtab.contracts.freeze import Freeze

QUERY = UsageQuery(model="parking", incident="now", now=NOW)
times = st.timedeltas(timedelta(0), timedelta(days=40)).map(NOW.__sub__)
attempts = st.builds(
    ActionAttempt,
    incident=st.sampled_from(["now", "event-1", "event-2", "event-3"]),
    model=st.sampled_from(["parking", "other"]),
    cost=st.decimals(0, 100, places=2),
    currency=st.sampled_from(["EUR", "USD"]),
    granted_at=times,
    attempted_at=st.none() | times,
    failed_at=st.none() | times,
    released=st.booleans(),
)


def entries(*gates: tuple[Gate, dict[str, Any]]) -> list[AuditEntry]:
    return [
        AuditEntry(
            incident="event-1",
            model="parking",
            correlation_id="event-1",
            sequence=sequence,
            gate=gate,
            at=NOW,
            actor="trimtab",
            detail=detail,
        )
        for sequence, (gate, detail) in enumerate(gates)
    ]


@given(known=st.lists(attempts, max_size=8), one=attempts)
def test_one_more_attempt_never_lowers_what_was_done(
    known: list[ActionAttempt], one: ActionAttempt
) -> None:
    before, after = add_up(known, QUERY), add_up([*known, one], QUERY)

    for name in ("model_day", "model_month", "all_day", "all_month"):
        assert getattr(after, name).actions >= getattr(before, name).actions
        assert getattr(after, name).cost >= getattr(before, name).cost
    assert set(before.failures) <= set(after.failures)


@given(known=st.permutations(range(4)), each=st.lists(attempts, min_size=4, max_size=4))
def test_the_order_of_the_log_s_files_does_not_matter(
    known: list[int], each: list[ActionAttempt]
) -> None:
    assert add_up([each[index] for index in known], QUERY) == add_up(each, QUERY)


def test_an_incident_without_a_grant_is_no_attempt() -> None:
    assert summarise_chain(entries((Gate.OPENED, {}), (Gate.CLOSED, {"ending": "expired"}))) is None


@pytest.mark.parametrize("cost", ["-50", "rubbish", "NaN", "Infinity", None, []])
def test_a_cost_that_is_none_adds_nothing(cost: object) -> None:
    found = summarise_chain(
        entries((Gate.DELIBERATED, {"plan": {"cost": cost}}), (Gate.AUTHORISED, {}))
    )

    assert found is not None
    assert found.cost == Decimal(0)


def test_what_stands_behind_the_end_changes_neither_cooldown_nor_breaker() -> None:
    """Somebody starts `RemediationWorkflow` by hand on a closed chain; a sweep closes it again."""
    told = [
        (Gate.AUTHORISED, {}),
        (Gate.INTENDED, {"step": "retrain"}),
        (Gate.CLOSED, {"ending": "undone"}),
    ]
    added = [
        (Gate.CONFLICT, {}),
        (Gate.INTENDED, {"step": "retrain"}),
        (Gate.CLOSED, {"ending": "abandoned"}),
    ]
    later = NOW + timedelta(days=3)
    chain = entries(*told, *added)
    chain[3:] = [entry.model_copy(update={"at": later}) for entry in chain[3:]]

    assert summarise_chain(chain) == summarise_chain(entries(*told))


def test_an_abandoned_remediation_that_a_sweep_undid_counts_as_failed() -> None:
    found = summarise_chain(
        entries(
            (Gate.AUTHORISED, {}),
            (Gate.INTENDED, {"step": "promote"}),
            (Gate.UNDONE, {"step": "undo", "applied": True}),
            (Gate.CLOSED, {"ending": "abandoned"}),
        )
    )

    assert found is not None
    assert found.failed_at == NOW


def test_the_plan_of_an_earlier_release_s_log_is_that_of_the_deliberation() -> None:
    found = summarise_chain(
        entries(
            (Gate.DELIBERATED, {"plan": {"cost": "7.50", "currency": "EUR"}}),
            (Gate.DECIDED, {"decided_at": NOW.isoformat()}),
            (Gate.AUTHORISED, {}),
        )
    )

    assert found is not None
    assert (found.cost, found.currency) == (Decimal("7.50"), "EUR")


def test_the_facts_hold_what_was_done_and_any_freeze() -> None:
    ledger = LedgerFacts(last_attempt_at=NOW)

    facts = collect_facts(an_investigation(), ModelUsage(ledger=ledger, freeze=Freeze()), now=NOW)

    assert facts.ledger == ledger
    assert facts.freeze == Freeze()
    assert facts.last_action_at == NOW


def test_the_later_of_registry_and_ledger_is_the_last_action() -> None:
    earlier = NOW - timedelta(hours=1)

    assert find_last_action(NOW, LedgerFacts(last_attempt_at=earlier)) == NOW
    assert find_last_action(earlier, LedgerFacts(last_attempt_at=NOW)) == NOW
    assert find_last_action(None, None) is None


def test_the_ledger_looks_back_as_far_as_cooldown_and_breaker() -> None:
    limits = Limits(breaker=Breaker(failures=2, period=timedelta(days=90)))

    query = build_usage_query("parking", "event-1", limits=limits, now=NOW)

    assert query.lookback == timedelta(days=90)


def test_a_reservation_of_a_plan_with_a_negative_cost_gives_nothing_back() -> None:
    plan = a_plan(cost=Decimal(-100))

    reserved = build_reservation(plan, now=NOW, expires_at=NOW + timedelta(hours=2))

    facts = add_up([convert_reservation(reserved)], QUERY)
    assert facts.model_day == Spending(actions=1)
    assert reserved.plan_hash == compute_digest(plan)

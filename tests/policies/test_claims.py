"""An event is a claim: what it says is held against the clock, the registry and a measurement."""

from datetime import timedelta
from typing import Any

import pytest

from policies.claims import (
    EVENT_CHAMPION,
    EVENT_FIGURES,
    EVENT_METRIC,
    EVENT_WINDOW,
    find_contradictions,
    rate_measured_loss,
)
from policies.decision import decide
from policies.incident import collect_facts
from tests.builders import (
    NOW,
    WEEK,
    a_finding,
    a_measurement,
    a_pack,
    a_plan,
    a_question,
    a_spec,
    a_window,
    an_event,
    an_incident,
    an_investigation,
    the_facts,
)
from trimtab.contracts.decision import Contradiction, Limits, Verdict
from trimtab.contracts.drift import PerformanceChange, Severity
from trimtab.contracts.evidence import EvidencePack
from trimtab.contracts.remediation import Action


def a_claim(**changes: Any) -> PerformanceChange:
    fields: dict[str, Any] = {
        "metric": "r2", "reference": 0.92, "current": 0.78, "rows": 3000, "degraded": True,
    }  # fmt: skip
    return PerformanceChange(**{**fields, **changes})


def contradictions(
    pack: EvidencePack | None = None, *, spec: dict[str, Any] | None = None, **finding: Any
) -> list[tuple[str, str]]:
    found = find_contradictions(
        an_event(**finding), pack or a_pack(), a_spec(**(spec or {})), Limits(), now=NOW
    )
    return [(each.rule, each.statement) for each in found]


def test_an_honest_event_contradicts_nothing() -> None:
    facts = collect_facts(an_investigation(), now=NOW)

    assert contradictions() == []
    assert facts.event_signed
    assert decide(a_question(facts=the_facts(contradictions=facts.contradictions))).rule == (
        "all_rules"
    )


def test_a_window_two_months_old_that_names_a_replaced_champion_escalates() -> None:
    """Row 3 of cases/authority.md: figures invented, and nothing of it compared."""
    old = a_finding(
        current=a_window(end=NOW - 8 * WEEK),
        reference=a_window(end=NOW - 9 * WEEK),
        champion_version="1",
        performance=a_claim(current=0.40),
    )
    pack = a_pack(champion_version="2", measurements=(a_measurement("2", 0.945, rows=3330),))
    case = an_investigation(incident=an_incident(an_event(**dict(old))), pack=pack)

    facts = collect_facts(case, now=NOW)

    assert {each.rule for each in facts.contradictions} == {
        EVENT_WINDOW, EVENT_CHAMPION, EVENT_METRIC,
    }  # fmt: skip
    decision = decide(a_question(a_plan(champion_version="2"), facts))
    assert decision.verdict is Verdict.ESCALATE
    reasons = {result.rule: result.reason for result in decision.results}
    assert "ended 56.0 days ago" in reasons[EVENT_WINDOW]
    assert "today's champion is version 2" in reasons[EVENT_CHAMPION]
    assert (
        "the event says r2 0.400 on 3,000 rows, but measured is r2 0.945 on 3,330 rows"
        in reasons[EVENT_METRIC]
    )


@pytest.mark.parametrize(
    ("age", "current"),
    [
        (timedelta(0), True),
        (timedelta(minutes=-9), True),
        (timedelta(minutes=-11), False),
        (timedelta(days=10), True),
        (timedelta(days=10, seconds=1), False),
    ],
)
def test_a_window_is_current_for_its_length_and_the_limit(age: timedelta, *, current: bool) -> None:
    rules = [rule for rule, _ in contradictions(current=a_window(end=NOW - age))]

    assert rules == ([] if current else [EVENT_WINDOW])


def test_late_labels_make_no_event_old() -> None:
    late = a_window(end=NOW - timedelta(days=24))

    assert [rule for rule, _ in contradictions(current=late)] == [EVENT_WINDOW]
    assert contradictions(current=late, spec={"label_delay": timedelta(days=14)}) == []


def test_a_window_that_the_champion_learned_from_is_not_evidence_against_it() -> None:
    ((rule, statement),) = contradictions(a_pack(champion_trained_until=NOW))

    assert rule == EVENT_WINDOW
    assert "the champion learned from rows until" in statement
    assert contradictions(a_pack(champion_trained_until=NOW - timedelta(days=2))) == []


def test_only_a_foreign_detector_may_leave_the_champion_open() -> None:
    assert [rule for rule, _ in contradictions(champion_version=None)] == [EVENT_CHAMPION]
    assert contradictions(champion_version=None, detector="evidently") == []


@pytest.mark.parametrize("claimed", [0.40, 0.60, 0.95])
def test_a_metric_that_is_measured_otherwise_is_a_contradiction(claimed: float) -> None:
    rules = [rule for rule, _ in contradictions(performance=a_claim(current=claimed))]

    assert rules == [EVENT_METRIC]


@pytest.mark.parametrize("claimed", [0.75, 0.78, 0.81])
def test_a_metric_may_differ_by_its_error_and_the_tolerance(claimed: float) -> None:
    assert contradictions(performance=a_claim(current=claimed)) == []


def test_few_rows_in_a_claim_are_no_excuse_for_a_loss_that_is_not_there() -> None:
    pack = a_pack(measurements=(a_measurement(value=0.93, rows=3330),))

    found = contradictions(pack, performance=a_claim(current=0.40, rows=1))

    assert [rule for rule, _ in found] == [EVENT_METRIC]


def test_a_claimed_loss_must_be_seen_in_what_was_measured() -> None:
    claim = a_claim(reference=0.93, current=0.90)
    seen = a_pack(measurements=(a_measurement(value=0.905),))
    unseen = a_pack(measurements=(a_measurement(value=0.929),))

    assert contradictions(seen, performance=claim) == []
    ((rule, statement),) = contradictions(unseen, performance=claim)
    assert rule == EVENT_METRIC
    assert "no loss against 0.930" in statement


def test_a_metric_that_cannot_be_measured_confirms_nothing() -> None:
    ((_, statement),) = contradictions(a_pack(measurements=()))

    assert "could not be measured" in statement
    assert contradictions(a_pack(measurements=()), performance=None) == []


def test_another_tools_metric_is_held_against_the_models_own() -> None:
    claim = a_claim(metric="rmse", reference=1.0, current=0.7)
    lost = a_pack(champion_reference=0.92)
    fine = a_pack(champion_reference=0.92, measurements=(a_measurement(value=0.93),))

    assert contradictions(lost, performance=claim, detector="nannyml") == []
    assert [rule for rule, _ in contradictions(fine, performance=claim, detector="nannyml")] == [
        EVENT_METRIC
    ]
    ((_, statement),) = contradictions(performance=claim, detector="nannyml")
    assert "it is not known what r2 the champion had" in statement


def test_figures_that_cannot_be_true_escalate_whoever_let_them_in() -> None:
    rules = [rule for rule, _ in contradictions(performance=a_claim(current=5.0))]

    assert EVENT_FIGURES in rules


def test_without_evidence_only_the_window_is_checked() -> None:
    event = an_event(current=a_window(end=NOW - 8 * WEEK))

    found = find_contradictions(event, None, a_spec(), Limits(), now=NOW)

    assert [each.rule for each in found] == [EVENT_WINDOW]


@pytest.mark.parametrize("claimed", list(Severity))
def test_the_worse_of_claimed_and_measured_severity_counts(claimed: Severity) -> None:
    """A loss of 0.14 is seven tolerances: critical, whatever the event says."""
    calm = an_event(severity=claimed)

    facts = collect_facts(an_investigation(incident=an_incident(calm)), now=NOW)

    assert facts.severity is Severity.CRITICAL


def test_a_severity_is_never_lowered_by_a_measurement() -> None:
    pack = a_pack(measurements=(a_measurement(value=0.92),), champion_reference=0.92)
    case = an_investigation(incident=an_incident(an_event(severity=Severity.CRITICAL)), pack=pack)

    assert rate_measured_loss(an_event(), pack, a_spec()) is Severity.LOW
    assert collect_facts(case, now=NOW).severity is Severity.CRITICAL


def test_a_loss_that_chance_explains_raises_no_severity() -> None:
    noisy = a_pack(measurements=(a_measurement(value=0.80, error=0.1),))

    assert rate_measured_loss(an_event(), noisy, a_spec()) is None


def test_an_unsigned_event_executes_nothing() -> None:
    unsigned = the_facts(event_signed=False)

    decision = decide(a_question(facts=unsigned))

    assert (decision.verdict, decision.rule) == (Verdict.ESCALATE, "event_signature")


def test_an_unsigned_event_that_calls_for_nothing_needs_no_person() -> None:
    facts = the_facts(event_signed=False, severity=Severity.LOW)

    decision = decide(a_question(a_plan(action=Action.MONITOR), facts))

    assert decision.verdict is Verdict.MONITOR


@pytest.mark.parametrize("rule", [EVENT_FIGURES, EVENT_WINDOW, EVENT_CHAMPION, EVENT_METRIC])
@pytest.mark.parametrize("action", [Action.RETRAIN, Action.MONITOR])
def test_a_contradiction_goes_to_a_person_whatever_the_plan(rule: str, action: Action) -> None:
    found = Contradiction(rule=rule, statement="the event says one thing, measured is another")
    facts = the_facts(severity=Severity.LOW, contradictions=(found,))

    decision = decide(a_question(a_plan(action=action), facts))

    assert (decision.verdict, decision.rule) == (Verdict.ESCALATE, rule)
    assert decision.reason == found.statement

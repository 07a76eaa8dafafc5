"""The rules judge by measurements alone, and object to what these do not support."""

from typing import Any

import pytest

from agents.analyst.answers import answer_cause, answer_plan
from agents.analyst.brief_figures import read_figures
from policies.incident import collect_facts
from policies.judgement.figures import collect_figures
from policies.second_opinion import explain_objection, form_second_opinion
from tests.agents.analyst.test_answers import found
from tests.agents.analyst.test_causes import CLEAR_CASES, TWO_YEARS, a_fault, moved
from tests.agents.cases import a_brief, a_start, bad_release_pack, full_pack, performance
from tests.builders import NOW, a_deliberation, a_plan, a_root_cause, an_incident, an_investigation
from trimtab.contracts.deliberation import Cause, DeliberationInput
from trimtab.contracts.remediation import Action


def objection(plan: dict[str, Any], **changes: Any) -> str:
    start = a_start(**changes)
    opinion = form_second_opinion(start.event.data, start.spec, start.pack)
    return explain_objection(a_plan(**plan), opinion)


@pytest.mark.parametrize("case", CLEAR_CASES, ids=[str(case[1]) for case in CLEAR_CASES])
def test_the_evidence_and_the_brief_hold_the_same_figures(
    case: tuple[dict[str, Any], Cause, Action],
) -> None:
    start: DeliberationInput = a_start(**case[0])

    figures = collect_figures(start.event.data, start.spec, start.pack)

    shown = read_figures(a_brief(**case[0]))
    assert set(figures.moves) == set(shown.moves)
    assert figures == shown._replace(moves=figures.moves)


@pytest.mark.parametrize("case", CLEAR_CASES, ids=[str(case[1]) for case in CLEAR_CASES])
def test_the_rules_support_the_plan_of_the_rule_analyst(
    case: tuple[dict[str, Any], Cause, Action],
) -> None:
    finding, cause, action = case
    finding = {"reference": TWO_YEARS, **finding}
    brief = a_brief(**finding)
    reply = answer_plan(found(brief))
    plan = {
        "action": reply.action,
        "cause": answer_cause(brief).cause,
        "target_version": reply.target_version,
    }
    start = a_start(**finding)
    opinion = form_second_opinion(start.event.data, start.spec, start.pack)

    assert (reply.action, plan["cause"]) == (action, cause)
    assert explain_objection(a_plan(**plan), opinion) == ""
    assert opinion.likelihoods[cause] > 0.25


@pytest.mark.parametrize(
    ("plan", "changes", "reason"),
    [
        ({"action": Action.MONITOR, "cause": Cause.HARMLESS}, {}, "monitor has a fitness of"),
        ({"action": Action.MONITOR, "cause": Cause.UNKNOWN}, {}, "monitor has a fitness of"),
        ({"action": Action.MONITOR, "cause": Cause.LABEL_SHIFT}, {}, "does not fit the cause"),
        ({"action": Action.ROLL_BACK, "cause": Cause.BAD_RELEASE}, {}, "rules out roll_back"),
        (
            {"action": Action.ROLL_BACK, "cause": Cause.BAD_RELEASE},
            {"pack": bad_release_pack(former_champions=())},
            "rules out roll_back",
        ),
        (
            {"action": Action.RETRAIN, "cause": Cause.CONCEPT_DRIFT},
            {"pack": bad_release_pack(), "features": moved()},
            "retrain has a fitness of",
        ),
        ({"action": Action.RETRAIN}, {"quality": (a_fault(),)}, "learn from corrupt data"),
        ({"action": Action.RETRAIN}, {"performance": performance(0.93)}, "is not worse"),
        ({"action": Action.RETRAIN}, {"performance": performance(0.915)}, "a fitness of"),
        ({"action": Action.RETRAIN, "cause": Cause.BAD_RELEASE}, {}, "does not fit the cause"),
    ],
)
def test_the_rules_object_to_what_the_measurements_do_not_support(
    plan: dict[str, Any], changes: dict[str, Any], reason: str
) -> None:
    assert reason in objection(plan, **changes)


def test_another_name_for_the_same_loss_and_action_is_no_objection() -> None:
    assert objection({"action": Action.RETRAIN, "cause": Cause.COVARIATE_SHIFT}) == ""


def test_the_facts_hold_the_opinion_and_what_it_rests_on() -> None:
    pack = full_pack()
    case = an_investigation(incident=an_incident(), pack=pack)

    facts = collect_facts(case, now=NOW)

    assert facts.rules_support
    assert facts.rules_cause is Cause.LABEL_SHIFT
    assert facts.rules_likelihood > 0.25
    assert facts.degraded
    assert facts.measured_metrics == {"1": 0.78}


def test_a_plan_against_the_measurements_has_no_support() -> None:
    plan = a_plan(action=Action.MONITOR, cause=Cause.HARMLESS)
    idle = a_deliberation(plan=plan, root_cause=a_root_cause(cause=Cause.HARMLESS))

    facts = collect_facts(an_investigation(deliberation=idle, pack=full_pack()), now=NOW)

    assert not facts.rules_support
    assert "monitor has a fitness" in facts.rules_reason
    assert facts.rules_likelihood < 0.1


def test_without_evidence_there_is_no_support() -> None:
    facts = collect_facts(an_investigation(pack=None, deliberation=None, confidence=None), now=NOW)

    assert not facts.rules_support
    assert facts.rules_likelihood == 0.0

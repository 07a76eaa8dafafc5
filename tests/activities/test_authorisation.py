"""A grant is minted for what the policy or a person allows, and for nothing else."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.authorisation import AuthorisationActivities
from policies.decision import decide
from tests.builders import NOW, a_plan, a_question, the_facts
from trimtab.contracts.approval import Answer, Choice, HumanDecision
from trimtab.contracts.authorisation import AuthorisationRequest
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Blackout, Facts, Limits, RuleResult, Verdict
from trimtab.contracts.deliberation import RemediationPlan
from trimtab.contracts.remediation import Action, GrantClaims

SURE, UNSURE = the_facts(), the_facts(confidence=0.5)


class Mint:
    """Gives the claims away as they are."""

    def mint(self, claims: GrantClaims) -> str:
        return claims.model_dump_json()


def a_request(
    plan: RemediationPlan | None = None,
    *,
    facts: Facts = SURE,
    limits: Limits | None = None,
    now: datetime = NOW,
    answer: Answer | None = None,
) -> AuthorisationRequest:
    question = a_question(plan, facts, limits, now)
    return AuthorisationRequest(
        event_id="event-1", question=question, decision=decide(question), answer=answer
    )


def an_answer(plan: RemediationPlan | None = None, **changes: Any) -> Answer:
    said = HumanDecision(
        plan_hash=compute_digest(plan or a_plan()), approver="ada", decision=Choice.APPROVE
    )
    fields: dict[str, Any] = {"decision": said, "received_at": NOW, "accepted": True}
    return Answer(**(fields | changes))


def authorise(
    request: AuthorisationRequest, *, at: datetime = NOW, replay: bool = False
) -> GrantClaims:
    activities = AuthorisationActivities(
        mint=Mint(), lifetime=timedelta(hours=2), replay=replay, clock=lambda: at
    )
    return GrantClaims.model_validate_json(activities.authorise(request))


def refusal(request: AuthorisationRequest, *, at: datetime = NOW) -> str:
    with pytest.raises(ApplicationError) as caught:
        authorise(request, at=at)
    assert caught.value.non_retryable
    return str(caught.value)


def test_what_the_policy_executes_is_granted_by_its_rule() -> None:
    claims = authorise(a_request())

    assert claims == GrantClaims(
        event_id="event-1",
        model="parking",
        action=Action.RETRAIN,
        plan_hash=compute_digest(a_plan()),
        policy_hash=compute_digest(Limits()),
        champion_version="1",
        authority="policy:all_rules",
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=2),
    )


def test_a_rollback_is_granted_to_one_version_only() -> None:
    plan = a_plan(action=Action.ROLL_BACK, target_version="7", champion_version="9")

    facts = the_facts(
        champion_version="9", measured_metrics={"7": 0.9, "9": 0.7}, former_champions=("7",)
    )
    claims = authorise(a_request(plan, facts=facts))

    assert (claims.action, claims.target_version) == (Action.ROLL_BACK, "7")


def test_what_a_person_approved_is_granted_in_the_person_s_name() -> None:
    claims = authorise(a_request(facts=UNSURE, answer=an_answer()))

    assert claims.authority == "person:ada"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "no answer was received"),
        (an_answer(decision=None), "no answer was received"),
        (an_answer(accepted=False, note="late"), "late"),
        (an_answer(a_plan(champion_version="2")), "approved plan"),
        (
            an_answer(
                decision=HumanDecision(
                    plan_hash=compute_digest(a_plan()), approver="ada", decision=Choice.REJECT
                )
            ),
            "did not approve: reject",
        ),
    ],
)
def test_without_an_accepted_approval_of_that_very_plan_nothing_is_granted(
    answer: Answer | None, said: str
) -> None:
    assert said in refusal(a_request(facts=UNSURE, answer=answer))


def test_monitoring_is_never_granted_not_even_by_a_person() -> None:
    plan = a_plan(action=Action.MONITOR)

    for facts in (SURE, UNSURE):
        assert "nothing to authorise" in refusal(
            a_request(plan, facts=facts, answer=an_answer(plan))
        )


def test_a_plan_that_may_only_be_monitored_is_not_granted() -> None:
    facts = the_facts(last_action_at=NOW - timedelta(hours=1))
    request = a_request(facts=facts, answer=an_answer())

    assert request.decision.verdict is Verdict.MONITOR
    assert "nothing may be executed" in refusal(request)


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": Verdict.EXECUTE},
        {"plan_hash": "a" * 64},
        {"policy_hash": "a" * 64},
        {"rule": "another"},
        {"results": ()},
        {"decided_at": NOW - timedelta(days=1)},
    ],
)
def test_a_decision_that_the_policy_did_not_make_is_refused(changes: dict[str, Any]) -> None:
    request = a_request(facts=UNSURE, answer=an_answer())
    forged = request.decision.model_copy(update=changes)

    assert "is not the policy's answer" in refusal(request.model_copy(update={"decision": forged}))


def test_a_decision_in_the_words_of_another_release_is_still_the_policy_s() -> None:
    request = a_request(facts=UNSURE, answer=an_answer())
    reworded = request.decision.model_copy(
        update={
            "reason": "said otherwise",
            "results": tuple(
                RuleResult(rule=result.rule, verdict=result.verdict, reason="said otherwise")
                for result in request.decision.results
            ),
        }
    )

    claims = authorise(request.model_copy(update={"decision": reworded}))

    assert claims.authority == "person:ada"


def test_a_plan_for_another_event_is_refused() -> None:
    request = a_request().model_copy(update={"event_id": "event-2"})

    assert "event-2" in refusal(request)


def test_a_blackout_that_began_meanwhile_stops_what_nobody_approved() -> None:
    start = NOW.astimezone(UTC) + timedelta(minutes=5)
    blackout = Blackout(
        name="closing", start=time(start.hour, start.minute), duration=timedelta(hours=1)
    )
    limits = Limits(blackouts=(blackout,))

    assert authorise(a_request(limits=limits)).authority == "policy:all_rules"
    for later in (timedelta(minutes=6), timedelta(minutes=64)):
        assert "no longer is" in refusal(a_request(limits=limits), at=NOW + later)


def test_a_decision_is_asked_about_again_however_old_it_is() -> None:
    start = NOW.astimezone(UTC) + timedelta(hours=3)
    blackout = Blackout(
        name="closing", start=time(start.hour, start.minute), duration=timedelta(hours=14)
    )
    request = a_request(limits=Limits(blackouts=(blackout,)))

    assert "no longer is" in refusal(request, at=NOW + timedelta(hours=3, minutes=30))


def test_a_backtest_stays_at_the_instant_that_it_replays() -> None:
    today = Blackout(
        name="today", weekdays=(NOW.weekday(),), start=time(0), duration=timedelta(days=1)
    )
    request = a_request(limits=Limits(blackouts=(today,)), now=NOW - timedelta(days=15))

    claims = authorise(request, replay=True)

    assert claims.issued_at == NOW
    assert "no longer is" in refusal(request)

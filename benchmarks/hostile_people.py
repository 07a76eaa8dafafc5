"""Attacks by people: forged, borrowed, late and repeated answers; and valid ones beside them.

In bulk through the functions that the gate and the mint share, and by the dozen through the true
workflow.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from attacked_deployment import Deployment
from attacked_models import CRITICAL, name_model
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hostile_clients import await_question
from incident_batches import KindResult, await_end, run_batch, run_together
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError

from policies.approval import check_approvals, judge_answer
from policies.approval_signature import format_public_key, sign_decision
from trimtab.contracts import names
from trimtab.contracts.approval import Answer, Choice, HumanDecision
from trimtab.contracts.approvers import ApprovalTerms, Approver
from trimtab.contracts.base import compute_digest
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.incident import Stage
from trimtab.contracts.model import Tier
from trimtab.contracts.ports import Refused

_REFRESH_SECONDS: Final = 3.0
_HOUR: Final = timedelta(hours=1)
_ADA: Final = Ed25519PrivateKey.generate()
_GRACE: Final = Ed25519PrivateKey.generate()
_MALLORY: Final = Ed25519PrivateKey.generate()
_INTERN: Final = Ed25519PrivateKey.generate()
PEOPLE_POLICY: Final[Mapping[str, Any]] = {
    "approval_timeout": "PT20S",
    "require_signature": True,
    "approvals_needed": {"critical": 2},
    "approvers": {
        "ada": {"keys": [format_public_key(_ADA)]},
        "grace": {"keys": [format_public_key(_GRACE)]},
        "intern": {"keys": [format_public_key(_INTERN)], "tiers": ["experimental"]},
    },
}
"""Two people must sign for a critical model; the intern may not."""


class Question(NamedTuple):
    """What an answer is about."""

    incident: str
    model: str
    plan_hash: str
    asked_at: datetime


Forgery = Callable[[Question], HumanDecision]


def _sign(
    question: Question,
    name: str,
    key: Ed25519PrivateKey,
    *,
    after: timedelta = timedelta(0),
    incident: str | None = None,
    plan_hash: str | None = None,
) -> HumanDecision:
    decision = HumanDecision(
        plan_hash=plan_hash or question.plan_hash, approver=name, decision=Choice.APPROVE
    )
    return sign_decision(
        decision,
        incident=incident or question.incident,
        model=question.model,
        key=key,
        signed_at=question.asked_at + after,
    )


def _leave_unsigned(question: Question) -> HumanDecision:
    return HumanDecision(plan_hash=question.plan_hash, approver="ada", decision=Choice.APPROVE)


def _turn_rejection(question: Question) -> HumanDecision:
    """Turn a signed rejection into an approval."""
    rejection = _sign(question, "ada", _ADA).model_copy(update={"decision": Choice.REJECT})
    signed = sign_decision(
        rejection,
        incident=question.incident,
        model=question.model,
        key=_ADA,
        signed_at=question.asked_at,
    )
    return signed.model_copy(update={"decision": Choice.APPROVE})


FORGERIES: Final[Mapping[str, Forgery]] = {
    "unlisted": lambda question: _sign(question, "mallory", _MALLORY),
    "unsigned": _leave_unsigned,
    "another's key": lambda question: _sign(question, "ada", _MALLORY),
    "a colleague's key": lambda question: _sign(question, "ada", _GRACE),
    "other plan": lambda question: _sign(
        question, "ada", _ADA, plan_hash=compute_digest(["another plan"])
    ),
    "other plan, renamed": lambda question: _sign(
        question, "ada", _ADA, plan_hash=compute_digest(["another plan"])
    ).model_copy(update={"plan_hash": question.plan_hash}),
    "replayed from another incident": lambda question: _sign(
        question, "ada", _ADA, incident="event-before"
    ),
    "signed long before": lambda question: _sign(question, "ada", _ADA, after=-5 * _HOUR),
    "signed in the future": lambda question: _sign(question, "ada", _ADA, after=3 * _HOUR),
    "without the right": lambda question: _sign(question, "intern", _INTERN),
    "the analyst": lambda question: _sign(question, "analyst/rules", _ADA),
    "a part of Trimtab": lambda question: _sign(question, "Trimtab", _ADA),
    "name with a space": lambda question: _sign(question, "ada ", _ADA),
    "name of other letters": lambda question: _sign(question, "\u0430d\u0430", _ADA),
    "other letter case": lambda question: _sign(question, "ADA", _ADA),
    "rejection turned round": _turn_rejection,
}
"""Answers of which none may count."""


@dataclass
class BulkResult:
    """What became of answers that the shared functions judged."""

    forged: int = 0
    forged_accepted: int = 0
    """By the gate's function, or by the mint's although the gate is said to have accepted."""
    late: int = 0
    late_accepted: int = 0
    repeated: int = 0
    repeated_accepted: int = 0
    valid: int = 0
    valid_accepted: int = 0


def judge_in_bulk(*, each: int) -> BulkResult:
    """Judge many forged, late and repeated answers, and as many valid ones."""
    result = BulkResult()
    now = datetime.now(UTC)
    for number in range(each):
        question = Question(f"event-{number}", "model", compute_digest(["plan", str(number)]), now)
        terms = _build_terms(question)
        for forge in FORGERIES.values():
            result.forged += 1
            result.forged_accepted += _counts(forge(question), terms, now)
        valid = [_sign(question, "ada", _ADA), _sign(question, "grace", _GRACE)]
        result.late += 1
        result.late_accepted += _counts(valid[0], terms, terms.deadline)
        result.repeated += 1
        result.repeated_accepted += _is_granted([valid[0], valid[0]], terms, now)
        result.valid += 1
        result.valid_accepted += _is_granted(valid, terms, now)
    return result


def _build_terms(question: Question) -> ApprovalTerms:
    approvers = {
        name: Approver.model_validate(each) for name, each in PEOPLE_POLICY["approvers"].items()
    }
    return ApprovalTerms(
        incident=question.incident,
        model=question.model,
        plan_hash=question.plan_hash,
        tier=Tier.CRITICAL,
        approvers=approvers,
        approvals_needed=2,
        require_signature=True,
        proposer="analyst/rules",
        asked_at=question.asked_at,
        deadline=question.asked_at + _HOUR,
    )


def _counts(decision: HumanDecision, terms: ApprovalTerms, at: datetime) -> bool:
    """Return whether gate or mint count an answer, each alone.

    The mint is told that the gate accepted it, and needs one approval only.
    """
    if judge_answer(decision, terms=terms, earlier=(), now=at).accepted:
        return True
    claimed = Answer(decision=decision, received_at=at, accepted=True)
    try:
        check_approvals([claimed], terms=terms.model_copy(update={"approvals_needed": 1}), now=at)
    except Refused:
        return False
    return True


def _is_granted(decisions: list[HumanDecision], terms: ApprovalTerms, at: datetime) -> bool:
    """Return whether answers that the gate is said to have accepted suffice for the mint."""
    claimed = [Answer(decision=each, received_at=at, accepted=True) for each in decisions]
    try:
        check_approvals(claimed, terms=terms, now=at)
    except Refused:
        return False
    return True


async def attack_by_people(deployment: Deployment, *, each: int) -> AsyncIterator[KindResult]:
    """Answer real questions of critical models: falsely, and in as many others validly."""
    deployment.set_policy(**PEOPLE_POLICY)
    await asyncio.sleep(_REFRESH_SECONDS)
    try:
        batches = [
            partial(_attack, deployment, kind, partial(_answer_falsely, forge=forge), each)
            for kind, forge in FORGERIES.items()
        ]
        batches.append(partial(_attack, deployment, "one person twice", _answer_twice, each))
        async for each_kind in run_together(batches, each=each):
            yield each_kind
        valid = KindResult("honest twins", "critical, two people")
        answer = partial(_answer_validly, deployment, valid)
        yield await run_batch(valid, deployment, [answer for _ in range(each)], at_once=1)
    finally:
        deployment.set_policy()
        await asyncio.sleep(_REFRESH_SECONDS)


async def _attack(
    deployment: Deployment, kind: str, answer: Callable[..., Awaitable[None]], each: int
) -> KindResult:
    result = KindResult("hostile people", kind)
    return await run_batch(result, deployment, [partial(answer, deployment, result)] * each)


async def open_question(
    deployment: Deployment, group: str
) -> tuple[DriftEvent, Question, WorkflowHandle[Any, Any]]:
    """Start an incident that asks, and wait for its question."""
    event = deployment.signer.sign(deployment.events.build(name_model(CRITICAL, group), "asked"))
    await deployment.start_incident(event)
    view = await await_question(deployment, event)
    assert view.stage is Stage.WAITING, f"the incident asked nobody: {view}"
    assert view.plan_hash, "a question has a plan"
    handle: WorkflowHandle[Any, Any] = deployment.client.get_workflow_handle(
        names.build_drift_response_id(event.subject, event.id)
    )
    return event, Question(event.id, event.subject, view.plan_hash, datetime.now(UTC)), handle


async def send_answer(handle: WorkflowHandle[Any, Any], decision: HumanDecision) -> bool:
    """Send an answer by the update and by the signal; return whether the update took it."""
    try:
        await handle.execute_update("human_decision_update", decision)
    except (WorkflowUpdateFailedError, RPCError):
        taken = False
    else:
        taken = True
    with suppress(RPCError):  # the incident has ended
        await handle.signal("human_decision", decision)
    return taken


async def _answer_falsely(deployment: Deployment, result: KindResult, forge: Forgery) -> None:
    """Send the same forgery twice, for two people are needed, and one valid answer."""
    event, question, handle = await open_question(deployment, "attacked")
    for decision in (forge(question), _sign(question, "grace", _GRACE), forge(question)):
        await send_answer(handle, decision)
    result.add_report(await await_end(deployment, event), is_loss=False)


async def _answer_twice(deployment: Deployment, result: KindResult) -> None:
    event, question, handle = await open_question(deployment, "attacked")
    for after in (timedelta(0), timedelta(seconds=1)):
        await send_answer(handle, _sign(question, "ada", _ADA, after=after))
    result.add_report(await await_end(deployment, event), is_loss=False)


async def _answer_validly(deployment: Deployment, result: KindResult) -> None:
    await deployment.reset_champions("honest")
    event, question, handle = await open_question(deployment, "honest")
    deployment.oracle.allow_retraining(event.subject, event.id)
    for name, key in (("ada", _ADA), ("grace", _GRACE)):
        await handle.execute_update("human_decision_update", _sign(question, name, key))
    result.add_report(await await_end(deployment, event), is_loss=False)


async def answer_with_forged_signatures(deployment: Deployment, result: KindResult) -> None:
    """Answer a control model's question in two listed names, with a key of nobody."""
    event, question, handle = await open_question(deployment, "control")
    for name in ("ada", "grace"):
        await send_answer(handle, _sign(question, name, _MALLORY))
    result.add_report(await await_end(deployment, event), is_loss=False)

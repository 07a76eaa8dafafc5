"""Puts the question to people, and judges their answers.

The workflow's gate and the mint of grants judge by the same functions. The gate says at once why an
answer does not count; the mint believes nothing that the gate says.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from policies.approval_page import render_approval_page
from policies.approval_signature import is_signed_by
from policies.incident import Investigation
from trimtab.contracts.approval import Answer, ApprovalRequest, Choice, HumanDecision
from trimtab.contracts.approvers import (
    CLOCK_DIFFERENCE,
    SIGNATURE_GRACE,
    ApprovalTerms,
    Approver,
    is_reserved_name,
)
from trimtab.contracts.decision import Decision, Limits, PolicyQuestion
from trimtab.contracts.incident import IncidentInput
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused


def list_approvers(limits: Limits, spec: ModelSpec, *, local_user: str) -> dict[str, Approver]:
    """Return the people whose answers count: the listed ones, or else the owner and a local user.

    Nobody in it means that nobody is known, and the answers of anyone count.
    """
    if limits.approvers:
        return dict(limits.approvers)
    return {name: Approver() for name in (spec.owner.strip(), local_user.strip()) if name}


def count_approvals_needed(question: PolicyQuestion) -> int:
    """Return how many people must approve the plan; one where it changes nothing."""
    if not question.plan.action.changes_registry:
        return 1
    needed = question.limits.approvals_needed.get(question.facts.tier, 1)
    return max(needed, 2) if _is_risky(question) else needed


def build_approval_terms(
    incident: IncidentInput,
    question: PolicyQuestion,
    decision: Decision,
    *,
    proposer: str,
    asked_at: datetime,
    strict: bool = True,
) -> ApprovalTerms:
    """Return what decides whether an answer to this question counts.

    Args:
        incident: The incident; the mint puts its own specification and local user into it.
        question: What the policy was asked, with the limits in force and the facts.
        decision: The policy's answer.
        proposer: The analyst that made the plan; "" if none did.
        asked_at: Time at which people were asked.
        strict: False for incidents that asked before approvers could be listed.
    """
    limits = question.limits
    return ApprovalTerms(
        incident=incident.event.id,
        model=incident.event.subject,
        plan_hash=decision.plan_hash,
        tier=question.facts.tier,
        approvers=list_approvers(limits, incident.spec, local_user=incident.local_user),
        approvals_needed=count_approvals_needed(question) if strict else 1,
        require_signature=limits.require_signature and strict,
        proposer=proposer,
        asked_at=asked_at,
        deadline=asked_at + limits.approval_timeout,
        strict=strict,
    )


def judge_answer(
    decision: HumanDecision,
    *,
    terms: ApprovalTerms,
    earlier: Sequence[Answer],
    now: datetime,
    sealed: bool = False,
) -> Answer:
    """Return the answer with whether it counts, and if not, why not.

    An answer that arrives before the question counts if it names the plan's hash. Until the plan is
    carried out (`sealed`), a rejection counts even if enough people have approved: of an approval
    and a rejection in the same instant, the rejection wins.

    Args:
        decision: What the person sent.
        terms: The question's terms.
        earlier: The answers judged before.
        now: Time of arrival.
        sealed: Whether the waiting is over.
    """
    note = (
        _find_settlement(decision, terms, earlier, sealed=sealed)
        or _find_lateness(decision, terms, now)
        or (_find_fault(decision, terms, now=now) if terms.strict else "")
        or _find_repetition(decision, terms, earlier)
    )
    return Answer(decision=decision, received_at=now, accepted=not note, note=note)


def find_rejection(answers: Sequence[Answer]) -> Answer | None:
    """Return the accepted answer that rejects the plan, or None."""
    rejections = (each for each in answers if each.accepted and _get_choice(each) is Choice.REJECT)
    return next(rejections, None)


def list_approvals(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """Return the accepted approvals, the first of each person."""
    found: dict[str, Answer] = {}
    for each in answers:
        if each.accepted and each.decision and each.decision.decision is Choice.APPROVE:
            found.setdefault(_fold(each.decision.approver), each)
    return tuple(found.values())


def find_settling_answer(answers: Sequence[Answer], terms: ApprovalTerms) -> Answer | None:
    """Return the rejection, or the approval that completes the number needed, or None."""
    if rejection := find_rejection(answers):
        return rejection
    approvals = list_approvals(answers)
    needed = terms.approvals_needed
    return approvals[needed - 1] if len(approvals) >= needed else None


def is_approval(answer: Answer) -> bool:
    """Return whether the answer counts and approves the plan."""
    return answer.accepted and _get_choice(answer) is Choice.APPROVE


def check_approvals(
    answers: Sequence[Answer], *, terms: ApprovalTerms, now: datetime
) -> tuple[str, ...]:
    """Return who approved the plan: as many people as the terms want, each verified again.

    The mint calls this with terms that it built itself, and with its own clock. Answers that the
    gate did not accept are left out; that the gate accepted an answer proves nothing.

    Raises:
        Refused: Too few people approved, or somebody rejected. The message says which answers do
            not count and why.
    """
    approvers: dict[str, str] = {}
    faults = []
    for each in answers:
        decision = each.decision
        if decision is None or not each.accepted:
            continue
        fault = _find_lateness(decision, terms, each.received_at) or _find_fault(
            decision, terms, now=now, grace=SIGNATURE_GRACE
        )
        if fault:
            faults.append(f"{decision.approver!r}: {fault}")
        elif decision.decision is Choice.REJECT:
            msg = f"{decision.approver} rejected the plan"
            raise Refused(msg)
        else:
            approvers.setdefault(_fold(decision.approver), decision.approver)
    if len(approvers) < terms.approvals_needed:
        given = ", ".join(approvers.values()) or "nobody"
        msg = f"the plan needs {terms.approvals_needed} approval(s), and approved it: {given}"
        msg = "; ".join([msg, *faults])
        raise Refused(msg)
    return tuple(approvers.values())


def build_approval_request(
    case: Investigation,
    decision: Decision,
    *,
    workflow_id: str,
    terms: ApprovalTerms,
) -> ApprovalRequest:
    """Return the question with its page and its deadline."""
    event = case.incident.event
    return ApprovalRequest(
        workflow_id=workflow_id,
        model=event.subject,
        correlation_id=event.correlationid,
        plan_hash=decision.plan_hash,
        title=f"{event.subject}: {event.data.severity} drift needs a decision ({decision.rule})",
        page=render_approval_page(case, decision, workflow_id=workflow_id, terms=terms),
        owner=case.incident.spec.owner,
        asked_at=terms.asked_at,
        deadline=terms.deadline,
    )


def _is_risky(question: PolicyQuestion) -> bool:
    """Return whether the policy wants two people because of severity or cost."""
    limits, plan = question.limits, question.plan
    start, above = limits.two_approvals_from, limits.two_approvals_above
    is_severe = start is not None and question.facts.severity.rank >= start.rank
    is_costly = above is not None and (plan.cost > above or plan.currency != limits.currency)
    return is_severe or is_costly


def _find_settlement(
    decision: HumanDecision, terms: ApprovalTerms, earlier: Sequence[Answer], *, sealed: bool
) -> str:
    if find_settling_answer(earlier, terms) is None:
        return ""
    may_still_stop = terms.strict and not sealed and find_rejection(earlier) is None
    if may_still_stop and decision.decision is Choice.REJECT:
        return ""
    return "duplicate: the question was already answered"


def _find_lateness(decision: HumanDecision, terms: ApprovalTerms, received_at: datetime) -> str:
    if received_at >= terms.deadline:
        return "late: the question had expired"
    if decision.plan_hash != terms.plan_hash:
        return "other plan: the answer names the hash of another plan"
    return ""


def _find_repetition(
    decision: HumanDecision, terms: ApprovalTerms, earlier: Sequence[Answer]
) -> str:
    """Return why a second approval by the same person does not count."""
    if not terms.strict or decision.decision is Choice.REJECT:
        return ""
    given = {_fold(each.decision.approver) for each in list_approvals(earlier) if each.decision}
    if _fold(decision.approver) in given:
        return f"duplicate: {decision.approver} approved already, and another person must too"
    return ""


def _find_fault(
    decision: HumanDecision,
    terms: ApprovalTerms,
    *,
    now: datetime,
    grace: timedelta = timedelta(0),
) -> str:
    """Return why the person, or the signature, does not count; empty if both do."""
    name = decision.approver
    if is_reserved_name(name) or _fold(name) == _fold(terms.proposer):
        return f"unlisted: {name!r} is a part of Trimtab or an analyst, and no person"
    if not name.isprintable() or name != name.strip():
        return "unlisted: the approver's name has spaces around it or characters not to be printed"
    approver = terms.approvers.get(name)
    if approver is None:
        if terms.approvers or terms.require_signature:
            return f"unlisted: {name!r} is not among the approvers: {_format_names(terms)}"
        return ""
    if decision.decision is Choice.APPROVE and approver.tiers and terms.tier not in approver.tiers:
        tiers = ", ".join(approver.tiers)
        return f"unlisted: {name} may approve for tier {tiers}, not for tier {terms.tier}"
    return _find_signature_fault(decision, approver, terms, now=now, grace=grace)


def _find_signature_fault(
    decision: HumanDecision,
    approver: Approver,
    terms: ApprovalTerms,
    *,
    now: datetime,
    grace: timedelta,
) -> str:
    name = decision.approver
    if not decision.signature or not approver.keys:
        return _find_missing_signature(approver, terms)
    if not is_signed_by(decision, approver.keys, incident=terms.incident, model=terms.model):
        return f"bad signature: no listed key of {name} signed this answer to this plan"
    signed_at = decision.signed_at
    if signed_at is None or signed_at > now + CLOCK_DIFFERENCE:
        return f"bad signature: signed at {signed_at}, which is not yet"
    oldest = now - terms.signature_lifetime - CLOCK_DIFFERENCE - grace
    if signed_at < oldest or signed_at >= terms.deadline + CLOCK_DIFFERENCE:
        return f"stale: signed at {signed_at}, outside of the time to answer"
    return ""


def _find_missing_signature(approver: Approver, terms: ApprovalTerms) -> str:
    if not terms.require_signature:
        return ""
    if not approver.keys:
        return "unsigned: a signature is required, and the policy lists no key of this approver"
    return "unsigned: a signature is required: answer with `trimtab approve` or `trimtab reject`"


def _format_names(terms: ApprovalTerms) -> str:
    return ", ".join(sorted(terms.approvers)) or "the policy lists nobody"


def _get_choice(answer: Answer) -> Choice | None:
    return answer.decision.decision if answer.decision else None


def _fold(name: str) -> str:
    """Return the name as people are counted by."""
    return " ".join(name.split()).casefold()

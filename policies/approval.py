"""Puts the question to a person, and judges the answers."""

from datetime import datetime

from policies.approval_page import render_approval_page
from policies.incident import Investigation
from trimtab.contracts.approval import Answer, ApprovalRequest, Choice, HumanDecision
from trimtab.contracts.decision import Decision


def judge_answer(
    decision: HumanDecision, *, plan_hash: str, settled: bool, open_until: datetime, now: datetime
) -> Answer:
    """Return the answer with whether it settles the question, and if not, why not.

    An answer that arrives before the question counts if it names the plan's hash.
    """
    note = ""
    if settled:
        note = "duplicate: the question was already answered"
    elif now >= open_until:
        note = "late: the question had expired"
    elif decision.plan_hash != plan_hash:
        note = "other plan: the answer names the hash of another plan"
    return Answer(decision=decision, received_at=now, accepted=not note, note=note)


def is_approval(answer: Answer) -> bool:
    """Return whether the answer settled the question and approves the plan."""
    decision = answer.decision
    return answer.accepted and decision is not None and decision.decision is Choice.APPROVE


def build_approval_request(
    case: Investigation, decision: Decision, *, workflow_id: str, asked_at: datetime
) -> ApprovalRequest:
    """Return the question with its page and its deadline."""
    event = case.incident.event
    deadline = asked_at + case.incident.limits.approval_timeout
    return ApprovalRequest(
        workflow_id=workflow_id,
        model=event.subject,
        correlation_id=event.correlationid,
        plan_hash=decision.plan_hash,
        title=f"{event.subject}: {event.data.severity} drift needs a decision ({decision.rule})",
        page=render_approval_page(case, decision, workflow_id=workflow_id, deadline=deadline),
        owner=case.incident.spec.owner,
        asked_at=asked_at,
        deadline=deadline,
    )

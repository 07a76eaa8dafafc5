"""Writes the page that a person on call decides from: one screen, plain text."""

import json
import shlex
import textwrap
from datetime import UTC, datetime

from trimtab.contracts.approval import Answer, ApprovalRequest, Choice, HumanDecision
from trimtab.contracts.decision import Confidence, Decision, Verdict
from trimtab.contracts.deliberation import Deliberation
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.evidence import EvidencePack
from trimtab.contracts.evidence_ids import build_drift_id
from trimtab.contracts.incident import IncidentInput
from trimtab.contracts.model import ModelSpec

_WIDTH = 88
_SHELL_USER = "$USER"


def judge_answer(
    decision: HumanDecision, *, plan_hash: str, settled: bool, open_until: datetime, now: datetime
) -> Answer:
    """Whether an answer settles the question; if not, why not.

    An answer that arrives before the question is put counts when it names the plan's hash.
    """
    note = ""
    if settled:
        note = "duplicate: the question was already answered"
    elif now >= open_until:
        note = "late: the question had expired"
    elif decision.plan_hash != plan_hash:
        note = "other plan: the answer names a plan hash that is not this one's"
    return Answer(decision=decision, received_at=now, accepted=not note, note=note)


def approved(answer: Answer) -> bool:
    """Whether the answer is a valid yes."""
    decision = answer.decision
    return answer.accepted and decision is not None and decision.decision is Choice.APPROVE


def title(event: DriftEvent, decision: Decision) -> str:
    """One line for a pager."""
    return f"{event.subject}: {event.data.severity} drift needs a decision ({decision.rule})"


def request(  # noqa: PLR0913 - the page shows all of it
    incident: IncidentInput,
    pack: EvidencePack | None,
    deliberation: Deliberation | None,
    confidence: Confidence | None,
    decision: Decision,
    *,
    failure: str,
    workflow_id: str,
    asked_at: datetime,
) -> ApprovalRequest:
    """The question as it is sent, with its deadline."""
    event, spec = incident.event, incident.spec
    deadline = asked_at + incident.limits.approval_timeout
    return ApprovalRequest(
        workflow_id=workflow_id,
        model=event.subject,
        correlation_id=event.correlationid,
        plan_hash=decision.plan_hash,
        title=title(event, decision),
        page=page(
            event,
            spec,
            pack,
            deliberation,
            confidence,
            decision,
            failure=failure,
            plan_hash=decision.plan_hash,
            workflow_id=workflow_id,
            deadline=deadline,
        ),
        owner=spec.owner,
        asked_at=asked_at,
        deadline=deadline,
    )


def page(  # noqa: PLR0913 - the page shows all of it
    event: DriftEvent,
    spec: ModelSpec,
    pack: EvidencePack | None,
    deliberation: Deliberation | None,
    confidence: Confidence | None,
    decision: Decision | None,
    *,
    failure: str = "",
    plan_hash: str,
    workflow_id: str,
    deadline: datetime,
) -> str:
    """What happened, what is proposed, why a person is asked, and how to answer."""
    blocks = [
        _what_happened(event, spec),
        _evidence(event, pack),
        _proposal(deliberation, confidence, failure),
        _why_you(decision),
        _how_to_answer(workflow_id, plan_hash, deadline, plan=deliberation is not None),
    ]
    return "\n\n".join(block for block in blocks if block)


def _what_happened(event: DriftEvent, spec: ModelSpec) -> str:
    current = event.data.current
    drifted = ", ".join(feature.name for feature in event.data.drifted) or "no column"
    return "\n".join(
        [
            f"MODEL     {event.subject}   tier {spec.tier}   owner {spec.owner or '(none named)'}",
            f"WINDOW    {_minute(current.start)} to {_minute(current.end)}, {current.rows} rows",
            f"DRIFT     severity {event.data.severity}; drifted: {drifted}",
            f"TRACE     correlation id {event.correlationid}",
        ]
    )


def _evidence(event: DriftEvent, pack: EvidencePack | None) -> str:
    if pack is None:
        return "EVIDENCE  none could be collected"
    drifted = {build_drift_id(feature.name) for feature in event.data.drifted}
    telling = [
        item
        for item in pack.items
        if item.source in ("quality", "performance") or item.id in drifted
    ]
    lines = [_bullet(item.statement) for item in telling[:8]]
    return "\n".join(["EVIDENCE", *lines])


def _proposal(
    deliberation: Deliberation | None, confidence: Confidence | None, failure: str
) -> str:
    lines = [_bullet(f"The deliberation failed: {failure}")] if failure else []
    if deliberation is None:
        return "\n".join(["PROPOSAL  none", *lines])
    plan = deliberation.plan
    target = f" to version {plan.target_version}" if plan.target_version else ""
    lines = [
        f"PROPOSAL  {plan.action}{target}, {plan.cost} {plan.currency}, by {deliberation.analyst}",
        _bullet(f"Cause: {plan.cause}. {deliberation.root_cause.explanation}"),
        *(
            _bullet(f"Benefit: {option.benefit} Risk: {option.risk}")
            for option in plan.options
            if option.action is plan.action
        ),
        *(_bullet(f"Concern: {concern}") for concern in deliberation.review.concerns[:3]),
        *lines,
    ]
    if confidence is not None:
        grounds = "; ".join(f"{part.name} {part.value:.2f}" for part in confidence.parts)
        lines.append(_bullet(f"Confidence {confidence.value:.2f} ({grounds})"))
    return "\n".join(lines)


def _why_you(decision: Decision | None) -> str:
    if decision is None:
        return ""
    refusals = [
        _bullet(f"{result.rule}: {result.reason}")
        for result in decision.results
        if result.verdict is Verdict.ESCALATE
    ]
    return "\n".join(["WHY YOU", *refusals])


def _how_to_answer(workflow_id: str, plan_hash: str, deadline: datetime, *, plan: bool) -> str:
    yes = "the plan is carried out and verified" if plan else "you take the incident over"
    return "\n".join(
        [
            f"ANSWER    by {_minute(deadline)}; after that nothing is done",
            _bullet(f"approve: {yes}; reject: nothing is done"),
            signal_command(workflow_id, plan_hash),
        ]
    )


def signal_command(
    workflow_id: str,
    plan_hash: str,
    *,
    approver: str | None = None,
    choice: Choice = Choice.APPROVE,
    address: str | None = None,
) -> str:
    """The line of the `temporal` CLI that answers, for a POSIX shell.

    Without an approver the shell fills in $USER; without an address the CLI's own profile counts.
    """
    answer = {
        "plan_hash": plan_hash,
        "approver": approver or _SHELL_USER,
        "decision": choice.value,
        "reason": "",
    }
    payload = shlex.quote(json.dumps(answer)).replace(_SHELL_USER, "'\"$USER\"'")
    where = f"--address {shlex.quote(address)} " if address else ""
    return (
        f"temporal workflow signal {where}--workflow-id {shlex.quote(workflow_id)} "
        f"--name human_decision --input {payload}"
    )


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _bullet(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="  - ", subsequent_indent="    ")

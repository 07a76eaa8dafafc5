"""Decides who is told of what, and writes the notices and the outcome for people."""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from policies.approval import find_rejection, list_approvals
from policies.settlement_page import render_settlement_advice
from trimtab.contracts.approval import Answer, ApprovalRequest
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Limits
from trimtab.contracts.evidence import EvidenceSource
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.incident import NOT_AUTHORISED, Ending, IncidentInput, IncidentReport
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.names import build_drift_response_id
from trimtab.contracts.notice import Notice, NoticeKind
from trimtab.contracts.reconciliation import Discrepancy
from trimtab.contracts.settlement import AbandonedIncident, SettlementKind

OUTCOME_WIDTH: Final = 66
"""Columns of the outcome in Temporal's Web UI."""
_MAX_TEXT_LENGTH: Final = 4000
_MAX_TITLE_LENGTH: Final = 300
_MAX_FAULTS: Final = 5
"""Faults of the data that a notice names."""
_QUIET_ENDINGS: Final = frozenset({Ending.MONITORED, Ending.SUPERSEDED})
"""Endings of which nobody is told unless a person was asked: nothing changed."""
_HOW_TO_RECONCILE: Final = "All of them: trimtab audit reconcile"
_TO_DO: Final = {
    SettlementKind.NOTHING: "nothing to do",
    SettlementKind.RESTORE: "restore the champion",
    SettlementKind.EXAMINE: "check the champion",
}
_PREFIXES: Final = {
    NoticeKind.ASKED: "",
    NoticeKind.REMINDER: "Still open: ",
    NoticeKind.LAST_CALL: "About to expire: ",
}
ENDING_SENTENCES: Final = {
    Ending.MONITORED: "Nothing was changed; monitoring goes on.",
    Ending.NOTIFIED: "The data is to be mended at its source; nothing was changed.",
    Ending.REMEDIATED: "The action was carried out, and verified to have helped.",
    Ending.NOT_PROMOTED: "The challenger did not beat the champion; nothing was changed.",
    Ending.NOT_VERIFIED: "The action was undone, because no labelled rows could verify it.",
    Ending.UNDONE: "The action was undone, because it made the metric worse.",
    Ending.REJECTED: "A person rejected the plan; nothing was changed.",
    Ending.EXPIRED: "Too few people answered in time; nothing was changed.",
    Ending.ACKNOWLEDGED: "A person took over the incident.",
    Ending.SUPERSEDED: "Another remediation of the model was running; nothing was changed.",
    Ending.CANCELLED: "The incident was cancelled; changes made until then were undone.",
    Ending.FAILED: "The action failed; check the champion.",
    Ending.ABANDONED: "The workflow was gone before it ended; check the champion.",
}
"""What each ending means for the model."""


def list_targets(kind: NoticeKind, limits: Limits, spec: ModelSpec) -> tuple[str, ...]:
    """Return the names of the targets that are told of it.

    A model may name its own targets. If none of those exists, all are told: a misspelt name must
    not silence an incident.
    """
    named = set(spec.notify) & set(limits.notify) or set(limits.notify)
    return tuple(sorted(name for name in named if kind in limits.notify[name].kinds))


def choose_closing_kind(report: IncidentReport, *, was_asked: bool) -> NoticeKind | None:
    """Return the kind of the closing notice; None where nothing happened and nobody was asked."""
    if report.ending is Ending.FAILED:
        return NoticeKind.FAILED
    if was_asked or report.ending not in _QUIET_ENDINGS:
        return NoticeKind.CLOSED
    return None


def build_question_notice(
    kind: NoticeKind, request: ApprovalRequest, incident: IncidentInput, *, at: datetime
) -> Notice:
    """Return the notice of an open question, with the page as its text."""
    return Notice(
        id=build_notice_id(request.workflow_id, kind, request.plan_hash),
        kind=kind,
        model=request.model,
        incident=incident.event.id,
        workflow_id=request.workflow_id,
        correlation_id=request.correlation_id,
        title=f"{_PREFIXES[kind]}{request.title}"[:_MAX_TITLE_LENGTH],
        text=request.page[:_MAX_TEXT_LENGTH],
        at=at,
        deadline=request.deadline,
    )


def build_closing_notice(kind: NoticeKind, report: IncidentReport, *, workflow_id: str) -> Notice:
    """Return the notice of how an incident ended."""
    return Notice(
        id=build_notice_id(workflow_id, kind),
        kind=kind,
        model=report.model,
        incident=report.event_id,
        workflow_id=workflow_id,
        correlation_id=report.correlation_id,
        title=f"{report.model}: {report.ending}"[:_MAX_TITLE_LENGTH],
        text="\n".join([*list_outcome_facts(report), f"Incident: {report.event_id}"])[
            :_MAX_TEXT_LENGTH
        ],
        ending=report.ending.value,
        at=report.closed_at,
    )


def build_stuck_notice(abandoned: AbandonedIncident, *, at: datetime) -> Notice:
    """Return the notice of an incident whose workflow was gone, and what it needs."""
    incident, model = abandoned.incident, abandoned.model
    return Notice(
        id=build_notice_id(build_drift_response_id(model, incident), NoticeKind.STUCK),
        kind=NoticeKind.STUCK,
        model=model,
        incident=incident,
        workflow_id=build_drift_response_id(model, incident),
        title=f"{model}: an incident lost its workflow: {_TO_DO[abandoned.settlement.kind]}"[
            :_MAX_TITLE_LENGTH
        ],
        text=f"{abandoned}\n{render_settlement_advice(model, abandoned.settlement)}"[
            :_MAX_TEXT_LENGTH
        ],
        at=at,
    )


def build_discrepancy_notice(faults: Sequence[Discrepancy], *, at: datetime) -> Notice:
    """Return the notice of places where the audit log disagrees with the registry or Temporal."""
    texts = [f"{each}" for each in faults]
    models = {each.model for each in faults}
    count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
    return Notice(
        id=build_notice_id(NoticeKind.DISCREPANCY, f"{at.date()}", *texts),
        kind=NoticeKind.DISCREPANCY,
        model=models.pop() if len(models) == 1 else "",
        title=f"The audit log disagrees with the world: {count}",
        text="\n".join([*(f"- {each}" for each in texts), "", _HOW_TO_RECONCILE])[
            :_MAX_TEXT_LENGTH
        ],
        at=at,
    )


def build_freeze_notice(freeze: Freeze, *, ended: bool, at: datetime) -> Notice:
    """Return the notice of a freeze that was put in force, or has ended."""
    scope = freeze.model or "all models"
    text = f"{freeze}".replace(" is frozen", " was frozen", 1) if ended else f"{freeze}"
    verb = "is no longer frozen" if ended else "is frozen"
    if freeze.model is None:
        verb = verb.replace("is", "are", 1)
    return Notice(
        id=build_notice_id("freeze", scope, freeze.at.isoformat() if freeze.at else "", str(ended)),
        kind=NoticeKind.FROZEN,
        model=freeze.model or "",
        title=f"{scope} {verb}"[:_MAX_TITLE_LENGTH],
        text=text[:_MAX_TEXT_LENGTH],
        at=at,
    )


def build_notice_id(*parts: str) -> str:
    """Return the id of a notice: the same event has the same id, however often it is sent."""
    return compute_digest(list(parts))[:32]


def build_page_mark(report: IncidentReport) -> str:
    """Return the line that the page of an answered or expired question begins with."""
    settled = _format_people(report.answers) or "nobody answered in time"
    verb = "EXPIRED" if report.ending is Ending.EXPIRED else "ANSWERED"
    if report.ending is Ending.CANCELLED:
        verb = "CANCELLED"
    at = f"{report.closed_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"{verb}: {settled}; the incident ended {at} as {report.ending}"[:300]


def render_outcome(report: IncidentReport) -> str:
    """Return the outcome as Markdown, in lines of at most 66 columns."""
    bullets = (
        textwrap.fill(
            f"- {escape_markdown(fact)}",
            OUTCOME_WIDTH,
            subsequent_indent="  ",
            break_on_hyphens=False,
        )
        for fact in list_outcome_facts(report)
    )
    return "\n".join([f"## {report.ending}", "", *bullets])


def _list_faults(report: IncidentReport) -> Iterator[str]:
    """Yield what is broken, and since when, for whoever mends it."""
    items = report.evidence.items if report.evidence else ()
    faults = [item for item in items if item.source is EvidenceSource.QUALITY]
    for item in faults[:_MAX_FAULTS]:
        where = f"{item.column}: " if item.column else ""
        yield f"Broken: {where}{item.statement}"
    if len(faults) > _MAX_FAULTS:
        yield f"{len(faults) - _MAX_FAULTS} more faults are in the report."


def list_outcome_facts(report: IncidentReport) -> Iterator[str]:
    """Yield what people want to know of a closed incident, a sentence each."""
    yield _describe_ending(report)
    if report.deliberation is not None:
        plan = report.deliberation.plan
        target = f" to version {plan.target_version}" if plan.target_version else ""
        yield f"Plan: {plan.action}{target}, because of {plan.cause}."
    if report.decision is not None:
        decision = report.decision
        yield f"Policy: {decision.verdict} by {decision.rule}: {decision.reason}."
    if report.ending is Ending.NOTIFIED:
        yield from _list_faults(report)
    if people := _format_people(report.answers):
        yield f"People: {people}."
    outcome = report.outcome
    if outcome is not None and outcome.detail:
        yield f"Result: {outcome.detail}."
    if report.failure:
        yield f"Failure: {report.failure}."


def _describe_ending(report: IncidentReport) -> str:
    plan = report.deliberation.plan if report.deliberation else None
    if report.ending is Ending.ACKNOWLEDGED and plan and plan.action.changes_registry:
        return (
            "The model is in shadow mode: the decision was recorded, and nothing was carried out."
        )
    if report.ending is Ending.FAILED and report.failure.startswith(NOT_AUTHORISED):
        return "The action was not authorised; nothing was changed."
    return ENDING_SENTENCES[report.ending]


def _format_people(answers: tuple[Answer, ...]) -> str:
    """Return who settled the question and how; empty if nobody did."""
    rejection = find_rejection(answers)
    given = (rejection,) if rejection else list_approvals(answers)
    names = ", ".join(each.decision.approver for each in given if each.decision)
    if not names:
        return ""
    return f"{'rejected' if rejection else 'approved'} by {names}"


def escape_markdown(text: str) -> str:
    """Return the text on one line, without what Markdown or HTML would interpret."""
    plain = "".join(each if each.isprintable() else " " for each in " ".join(text.split()))
    return "".join(f"\\{each}" if each in "\\`*[]<>#|" else each for each in plain)

"""Writes what a person, and the registry, are told of an incident whose workflow is gone."""

from collections.abc import Sequence
from datetime import datetime

from trimtab.contracts import names
from trimtab.contracts.approval import ApprovalRequest
from trimtab.contracts.audit import GENESIS, AuditEntry, AuditLine, Gate
from trimtab.contracts.incident import Ending, IncidentReport
from trimtab.contracts.remediation import Step
from trimtab.contracts.settlement import Settlement, SettlementKind


def build_settlement_request(
    lines: Sequence[AuditLine], settlement: Settlement, *, now: datetime
) -> ApprovalRequest:
    """Return the page for the person on call; no answer to it is awaited."""
    last = lines[-1].entry
    return ApprovalRequest(
        workflow_id=names.build_drift_response_id(last.model, last.incident),
        model=last.model,
        correlation_id=last.correlation_id,
        plan_hash=_find_plan_hash(lines),
        title=f"{last.model}: incident {last.incident} was abandoned",
        page=_render_page(last, settlement),
        asked_at=now,
        deadline=now,
    )


def build_abandoned_report(lines: Sequence[AuditLine]) -> IncidentReport:
    """Return the report of an abandoned incident, as far as its closed chain says."""
    first, end = lines[0].entry, lines[-1]
    return IncidentReport(
        event_id=first.incident,
        model=first.model,
        correlation_id=first.correlation_id,
        evidence=None,
        deliberation=None,
        failure=str(end.entry.detail.get("failure", "")),
        confidence=None,
        decision=None,
        ending=Ending.ABANDONED,
        published_at=first.at,
        decided_at=None,
        acted_at=_find_action_time(lines),
        closed_at=end.entry.at,
        audit_entries=len(lines),
        audit_tip=end.hash,
    )


def render_settlement_advice(model: str, settlement: Settlement, *, separator: str = " ") -> str:
    """Return what a person has to do about an abandoned incident, in sentences."""
    return separator.join(_list_advice(model, settlement))


def _render_page(last: AuditEntry, settlement: Settlement) -> str:
    lines = [
        f"The workflow of incident {last.incident} of {last.model} is gone.",
        f"Its last line in the audit log is `{last.gate}`, {last.at:%Y-%m-%d %H:%M} UTC.",
        f"In short: {settlement.reason}.",
        "",
        render_settlement_advice(last.model, settlement, separator="\n"),
        "",
        "The audit chain has been closed as abandoned. No answer is awaited.",
    ]
    return "\n".join(lines)


def _list_advice(model: str, settlement: Settlement) -> list[str]:
    if settlement.kind is SettlementKind.RESTORE:
        return [
            f"PLEASE ACT: point the alias `champion` of {model} at version {settlement.restore}",
            f"again. Version {settlement.champion} serves now, and nothing shows that it is good.",
        ]
    if settlement.kind is SettlementKind.EXAMINE:
        return [f"PLEASE LOOK at {model}: is version {settlement.champion} meant to serve?"]
    return ["Nothing has to be restored. If the drift goes on, it will be announced again."]


def _find_plan_hash(lines: Sequence[AuditLine]) -> str:
    hashes = (line.entry.detail.get("plan_hash") for line in reversed(lines))
    return str(next((each for each in hashes if isinstance(each, str)), GENESIS))


def _find_action_time(lines: Sequence[AuditLine]) -> datetime | None:
    """Return when the champion was moved last, or None."""
    moves = (
        line.entry.at
        for line in reversed(lines)
        if line.entry.gate is Gate.EFFECTED
        and line.entry.detail.get("applied") is True
        and line.entry.detail.get("step") in {Step.PROMOTE, Step.ROLL_BACK}
    )
    return next(moves, None)

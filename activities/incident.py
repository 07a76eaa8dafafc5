"""Keeps a closed incident: in the registry for auditors, in the knowledge base for agents."""

from temporalio import activity

from activities.errors import translate_errors
from policies.incident import compute_report_hash, take_recorded_times
from trimtab.contracts.audit import AuditEntry, Gate
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.ports import AuditLog, KnowledgeBase, ModelRegistry, Refused


class IncidentActivities:
    """Activities that write reports; they change no model."""

    def __init__(self, *, registry: ModelRegistry, knowledge: KnowledgeBase, log: AuditLog) -> None:
        self._registry = registry
        self._knowledge = knowledge
        self._log = log

    @activity.defn
    @translate_errors
    def remember_incident(self, report: IncidentReport) -> None:
        """Record the incident with its audit tip, and add its outcome to the knowledge base.

        A repeated call replaces what the first one wrote. When the incident was decided, acted on
        and closed is read from the audit log, whatever the report says.

        Raises:
            Refused: The audit chain does not end with this very report: it is somebody's claim.
        """
        report = take_recorded_times(report, self._find_closing(report))
        self._registry.record_incident(report)
        self._knowledge.remember(report, document_id=f"incident:{report.model}:{report.event_id}")

    def _find_closing(self, report: IncidentReport) -> AuditEntry:
        """Return the CLOSED entry of this very report."""
        lines = self._log.lines(report.event_id, model=report.model)
        digest = compute_report_hash(report)
        for line in lines:
            entry = line.entry
            closes = entry.gate is Gate.CLOSED and line.hash == report.audit_tip
            if closes and entry.detail.get("report_hash") == digest:
                return entry
        msg = (
            f"the report of incident {report.event_id!r} is not the one that its audit chain was "
            f"closed with ({len(lines)} lines): it is not kept"
        )
        raise Refused(msg)

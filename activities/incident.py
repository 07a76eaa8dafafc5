"""Keeps a closed incident: in the registry for auditors, in the knowledge base for agents."""

from temporalio import activity

from activities.errors import translate_errors
from policies.incident import compute_report_hash
from trimtab.contracts.audit import Gate
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

        A repeated call replaces what the first one wrote.

        Raises:
            Refused: The audit chain does not end with this very report: it is somebody's claim.
        """
        self._check_closed_with(report)
        self._registry.record_incident(report)
        self._knowledge.remember(report, document_id=f"incident:{report.model}:{report.event_id}")

    def _check_closed_with(self, report: IncidentReport) -> None:
        lines = self._log.lines(report.event_id, model=report.model)
        closed = [line for line in lines if line.entry.gate is Gate.CLOSED]
        hashes = [line.entry.detail.get("report_hash") for line in closed]
        tips = {line.hash for line in closed}
        if compute_report_hash(report) not in hashes or report.audit_tip not in tips:
            msg = (
                f"the report of incident {report.event_id!r} is not the one that its audit chain "
                f"was closed with ({len(lines)} lines): it is not kept"
            )
            raise Refused(msg)

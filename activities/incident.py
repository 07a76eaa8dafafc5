"""Keeps a closed incident: in the registry for auditors, in the knowledge base for agents."""

from temporalio import activity

from activities.errors import translate_errors
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.ports import KnowledgeBase, ModelRegistry


class IncidentActivities:
    """Activities that write reports; they change no model."""

    def __init__(self, *, registry: ModelRegistry, knowledge: KnowledgeBase) -> None:
        self._registry = registry
        self._knowledge = knowledge

    @activity.defn
    @translate_errors
    def remember_incident(self, report: IncidentReport) -> None:
        """Record the incident with its audit tip, and add its outcome to the knowledge base.

        A repeated call replaces what the first one wrote.
        """
        self._registry.record_incident(report)
        self._knowledge.remember(report, document_id=f"incident:{report.model}:{report.event_id}")

"""Keeps what an incident taught: in the registry for auditors, in the knowledge base for agents."""

from temporalio import activity

from activities.errors import translated
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.ports import KnowledgeBase, ModelRegistry


class IncidentActivities:
    """Writes reports; changes no model."""

    def __init__(self, *, registry: ModelRegistry, knowledge: KnowledgeBase) -> None:
        self._registry = registry
        self._knowledge = knowledge

    @activity.defn
    @translated
    def remember_incident(self, report: IncidentReport) -> None:
        """Record the incident and its audit tip, and write the outcome back; again is no harm."""
        self._registry.record_incident(report)
        self._knowledge.remember(report, document_id=f"incident:{report.model}:{report.event_id}")

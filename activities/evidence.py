"""Collects evidence: registry entries, versions' metrics, and documents on similar incidents."""

from pydantic import TypeAdapter
from temporalio import activity

from activities.errors import translate_errors
from activities.heartbeat import run_with_heartbeat
from trimtab.contracts.evidence import Document, Measurement, Recall, RegistryFacts
from trimtab.contracts.model import Slice, VersionMetric
from trimtab.contracts.ports import KnowledgeBase, ModelRegistry, PipelineRunner

_METRICS = TypeAdapter(tuple[VersionMetric, ...])


class EvidenceActivities:
    """Activities that only read."""

    def __init__(
        self, *, registry: ModelRegistry, pipelines: PipelineRunner, knowledge: KnowledgeBase
    ) -> None:
        self._registry = registry
        self._pipelines = pipelines
        self._knowledge = knowledge

    @activity.defn
    @translate_errors
    def read_registry(self, model: str) -> RegistryFacts:
        """Return the champion, the newest versions and the time of the last action."""
        return RegistryFacts(
            champion=self._registry.champion(model),
            versions=self._registry.versions(model),
            last_action_at=self._registry.last_action_at(model),
        )

    @activity.defn
    @translate_errors
    async def measure_versions(self, request: Measurement) -> tuple[VersionMetric, ...]:
        """Return each version's metric on the newest labelled rows; omit versions without rows."""
        if not request.versions:
            return ()
        outputs = await run_with_heartbeat(
            self._pipelines.run(
                "evaluation",
                {
                    "model": request.spec.name,
                    "versions": list(request.versions),
                    "as_of": request.as_of.isoformat(),
                    "slice": Slice.RECENT.value,
                },
            )
        )
        return _METRICS.validate_python(outputs["metrics"])

    @activity.defn
    @translate_errors
    def recall_similar(self, request: Recall) -> tuple[Document, ...]:
        """Return the runbooks and past incidents nearest in meaning, best first."""
        return self._knowledge.search(request.query, limit=request.limit)

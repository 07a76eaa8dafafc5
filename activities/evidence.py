"""Collects evidence: what the registry holds, what versions score, what is known of the like."""

from temporalio import activity

from activities.errors import translated
from activities.heartbeat import beating
from trimtab.contracts.evidence import Document, Measurement, Recall, RegistryFacts
from trimtab.contracts.model import Slice, VersionMetric
from trimtab.contracts.ports import KnowledgeBase, ModelRegistry, PipelineRunner


class EvidenceActivities:
    """Reads; changes nothing."""

    def __init__(
        self, *, registry: ModelRegistry, pipelines: PipelineRunner, knowledge: KnowledgeBase
    ) -> None:
        self._registry = registry
        self._pipelines = pipelines
        self._knowledge = knowledge

    @activity.defn
    @translated
    def read_registry(self, model: str) -> RegistryFacts:
        """Champion, newest versions and the time of the last action."""
        return RegistryFacts(
            champion=self._registry.champion(model),
            versions=self._registry.versions(model),
            last_action_at=self._registry.last_action_at(model),
        )

    @activity.defn
    @translated
    async def measure_versions(self, request: Measurement) -> tuple[VersionMetric, ...]:
        """Each version's metric on the newest labelled rows; a version without rows is left out."""
        if not request.versions:
            return ()
        outputs = await beating(
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
        metrics = outputs["metrics"]
        assert isinstance(metrics, list)  # noqa: S101 - the pipeline's promise
        return tuple(VersionMetric.model_validate(metric) for metric in metrics)

    @activity.defn
    @translated
    def recall_similar(self, request: Recall) -> tuple[Document, ...]:
        """Runbooks and past incidents that are nearest in meaning, best first."""
        return self._knowledge.search(request.query, limit=request.limit)

"""Collects evidence: registry entries, versions' metrics, and documents on similar incidents."""

from pydantic import TypeAdapter
from temporalio import activity

from activities.errors import translate_errors
from activities.heartbeat import run_with_heartbeat
from trimtab.contracts.evidence import (
    MeasuredVersions,
    Measurement,
    Recall,
    RecalledDocuments,
    RegistryFacts,
)
from trimtab.contracts.model import Slice, VersionMetric
from trimtab.contracts.ports import EvidenceSeal, KnowledgeBase, ModelRegistry, PipelineRunner

_METRICS = TypeAdapter(tuple[VersionMetric, ...])


class EvidenceActivities:
    """Activities that only read."""

    def __init__(
        self,
        *,
        registry: ModelRegistry,
        pipelines: PipelineRunner,
        knowledge: KnowledgeBase,
        seal: EvidenceSeal,
    ) -> None:
        self._registry = registry
        self._pipelines = pipelines
        self._knowledge = knowledge
        self._seal = seal

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
    async def measure_versions(self, request: Measurement) -> MeasuredVersions:
        """Return each version's metric on the newest labelled rows; omit versions without rows."""
        metrics = await self._measure(request) if request.versions else ()
        measured = MeasuredVersions(
            event_id=request.event_id,
            model=request.spec.name,
            as_of=request.as_of,
            metrics=metrics,
        )
        return measured.model_copy(update={"seal": self._seal.sign(measured)})

    async def _measure(self, request: Measurement) -> tuple[VersionMetric, ...]:
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
    def recall_similar(self, request: Recall) -> RecalledDocuments:
        """Return the runbooks and past incidents nearest in meaning, best first."""
        recalled = RecalledDocuments(
            event_id=request.event_id,
            query=request.query,
            documents=self._knowledge.search(request.query, limit=request.limit),
        )
        return recalled.model_copy(update={"seal": self._seal.sign(recalled)})

"""Collects evidence: registry entries, versions' metrics, and documents on similar incidents."""

from pydantic import TypeAdapter
from temporalio import activity

from activities.errors import translate_errors
from activities.heartbeat import run_with_heartbeat
from trimtab.contracts.evidence import (
    RECALLED_DOCUMENTS,
    MeasuredVersions,
    Measurement,
    Recall,
    RecalledDocuments,
    RegistryFacts,
)
from trimtab.contracts.model import Slice, UnscorableVersion, VersionMetric
from trimtab.contracts.ports import EvidenceSeal, KnowledgeBase, ModelRegistry, PipelineRunner

_MEASURED = TypeAdapter(tuple[VersionMetric | UnscorableVersion, ...])


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
        """Return the champion, the newest versions and the time of the last action.

        A champion that is among the newest versions is not read a second time.
        """
        versions = self._registry.versions(model)
        champion = next((version for version in versions if version.champion), None)
        return RegistryFacts(
            champion=champion or self._registry.champion(model),
            versions=versions,
            last_action_at=self._registry.last_action_at(model),
        )

    @activity.defn
    @translate_errors
    async def measure_versions(self, request: Measurement) -> MeasuredVersions:
        """Return each version's metric on the newest labelled rows, or why it cannot be scored.

        Versions without rows are left out.
        """
        metrics = await self._measure(request) if request.versions else ()
        measured = MeasuredVersions(
            event_id=request.event_id,
            model=request.spec.name,
            as_of=request.as_of,
            metrics=metrics,
        )
        return measured.model_copy(update={"seal": self._seal.sign(measured)})

    async def _measure(self, request: Measurement) -> tuple[VersionMetric | UnscorableVersion, ...]:
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
        measured = [outputs["metrics"], outputs.get("unscorable", [])]
        return tuple(each for found in measured for each in _MEASURED.validate_python(found))

    @activity.defn
    @translate_errors
    def recall_similar(self, request: Recall) -> RecalledDocuments:
        """Return the runbooks and past incidents nearest in meaning, best first.

        Only the usual number of them is sealed: with fewer, whoever asks could leave out the cases
        that speak against a plan.
        """
        recalled = RecalledDocuments(
            event_id=request.event_id,
            query=request.query,
            documents=self._knowledge.search(request.query, limit=request.limit),
        )
        if request.limit != RECALLED_DOCUMENTS:
            return recalled
        return recalled.model_copy(update={"seal": self._seal.sign(recalled)})

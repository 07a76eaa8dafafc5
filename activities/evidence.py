"""Collects evidence: registry entries, versions' metrics, a trial retraining, and documents."""

from pydantic import TypeAdapter
from temporalio import activity

from activities.errors import translate_errors
from activities.heartbeat import run_with_heartbeat
from policies.promotion_gate import forecast_waiting, rate_challenger
from trimtab.contracts.base import Record, clean_text
from trimtab.contracts.evidence import (
    RECALLED_DOCUMENTS,
    ChallengerPreview,
    MeasuredVersions,
    Measurement,
    PreviewOrder,
    Recall,
    RecalledDocuments,
    RegistryFacts,
)
from trimtab.contracts.model import (
    GateOutcome,
    PairedComparison,
    Slice,
    UnscorableVersion,
    VersionMetric,
)
from trimtab.contracts.ports import EvidenceSeal, KnowledgeBase, ModelRegistry, PipelineRunner

_MEASURED = TypeAdapter(tuple[VersionMetric | UnscorableVersion, ...])


class TrialReport(Record):
    """Output of the pipeline `preview`."""

    champion: str
    window_rows: int
    """Labelled rows of the newest window."""
    paired: tuple[PairedComparison, ...]
    refusal: str
    """Why nothing could be trained; empty if it could."""


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
    async def preview_challenger(self, order: PreviewOrder) -> ChallengerPreview:
        """Return what a retraining would give now; nothing is registered."""
        outputs = await run_with_heartbeat(
            self._pipelines.run(
                "preview",
                {
                    "model": order.spec.name,
                    "as_of": order.as_of.isoformat(),
                    "corrupt_too": order.corrupt_too,
                },
            )
        )
        preview = _build_preview(order, TrialReport.model_validate(outputs))
        return preview.model_copy(update={"seal": self._seal.sign(preview)})

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


def _build_preview(order: PreviewOrder, report: TrialReport) -> ChallengerPreview:
    margin = order.spec.promotion_margin
    answer = rate_challenger(report.paired, margin=margin)
    undecided = answer.outcome is GateOutcome.CANNOT_TELL and answer.comparison is not None
    return ChallengerPreview(
        event_id=order.event_id,
        model=order.spec.name,
        champion=report.champion,
        as_of=order.as_of,
        corrupt_too=order.corrupt_too,
        outcome=answer.outcome,
        reason=clean_text(report.refusal or answer.reason),
        comparisons=report.paired,
        windows_to_wait=forecast_waiting(
            report.paired[-1], margin=margin, window_rows=report.window_rows
        )
        if undecided
        else None,
    )

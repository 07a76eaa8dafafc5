"""The agents' read-only tools; each returns one item of evidence.

An agent never chooses the model or the window that its tools look at: both come from the
deliberation's own session, beside the agent's arguments.
"""

from typing import Final

from pydantic import AwareDatetime, JsonValue
from temporalio import activity

from activities.errors import translate_errors
from trimtab.contracts.base import Name, Record
from trimtab.contracts.evidence import EvidenceItem, EvidenceSource
from trimtab.contracts.evidence_ids import build_column_id, build_document_id, build_segment_id
from trimtab.contracts.model import Distribution, SegmentMetric
from trimtab.contracts.ports import KnowledgeBase, PipelineRunner, Refused

MAX_DOCUMENT_LENGTH: Final = 900
"""Characters of a document that are read."""
MAX_BINS_NAMED: Final = 3
"""Number of bins that are named, those that moved most."""
_MAX_SEGMENT_LENGTH: Final = 80


class InspectionTarget(Record):
    """The model and window that every tool looks at: a deliberation's session state."""

    model: Name
    start: AwareDatetime
    end: AwareDatetime

    @property
    def params(self) -> dict[str, JsonValue]:
        """The target as parameters of a pipeline."""
        return {
            "model": self.model,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
        }


class InspectionContext(Record):
    """The part of an agent's tool context that a tool needs: the wire form of ADK's snapshot."""

    state: InspectionTarget


class InspectionActivities:
    """Read-only activities; an agent may ask them for things that do not exist."""

    def __init__(self, *, pipelines: PipelineRunner, knowledge: KnowledgeBase) -> None:
        self._pipelines = pipelines
        self._knowledge = knowledge

    @activity.defn
    @translate_errors
    async def inspect_feature(self, feature: str, context: InspectionContext) -> EvidenceItem:
        """Compare one column's distributions in the reference and the current window."""
        params: dict[str, JsonValue] = {**context.state.params, "feature": feature}
        outputs = await self._pipelines.run("distribution", params)
        return _build_distribution_item(Distribution.model_validate(outputs["distribution"]))

    @activity.defn
    @translate_errors
    async def inspect_segment(
        self, feature: str, segment: str, context: InspectionContext
    ) -> EvidenceItem:
        """Compute the champion's metric on the rows of one category, before and now."""
        params: dict[str, JsonValue] = {
            **context.state.params,
            "feature": feature,
            "segment": segment,
        }
        outputs = await self._pipelines.run("segment", params)
        return _build_segment_item(SegmentMetric.model_validate(outputs["segment"]))

    @activity.defn
    @translate_errors
    def read_document(self, document_id: str, context: InspectionContext) -> EvidenceItem:  # noqa: ARG002 - ADK passes it to every tool
        """Read one runbook or past incident; raise `Refused` if there is none of that id."""
        document = self._knowledge.document(document_id)
        if document is None:
            msg = f"there is no document {document_id[:100]!r}: use an id from the case"
            raise Refused(msg)
        text = " ".join(f"{document.title}: {document.text}".split())
        return EvidenceItem(
            id=build_document_id(document.id),
            source=EvidenceSource.KNOWLEDGE,
            statement=text[:MAX_DOCUMENT_LENGTH],
            value=document.similarity,
        )


def _build_distribution_item(found: Distribution) -> EvidenceItem:
    changes = sorted(
        zip(found.bins, found.reference, found.current, strict=True),
        key=lambda change: -abs(change[2] - change[1]),
    )
    named = ", ".join(
        f"{name} from {before:.1%} to {now:.1%} of rows"
        for name, before, now in changes[:MAX_BINS_NAMED]
    )
    distance = sum(abs(now - before) for _, before, now in changes) / 2
    return EvidenceItem(
        id=build_column_id(found.feature),
        source=EvidenceSource.INSPECTION,
        statement=(
            f"Between reference and current window {found.feature} moved by a total variation "
            f"distance of {distance:.3f}, most in {named or 'no bin'}."
        ),
        value=round(distance, 6),
        column=found.feature,
    )


def _build_segment_item(found: SegmentMetric) -> EvidenceItem:
    segment = found.segment[:_MAX_SEGMENT_LENGTH]
    return EvidenceItem(
        id=build_segment_id(found.feature, found.segment),
        source=EvidenceSource.INSPECTION,
        statement=(
            f"On the {found.rows} rows with {found.feature} = {segment} the champion's "
            f"{found.metric} is {_format_metric(found.current)}, and was "
            f"{_format_metric(found.reference)} in the reference."
        ),
        value=found.current,
        column=found.feature,
    )


def _format_metric(value: float | None) -> str:
    return "not known" if value is None else f"{value:.4f}"

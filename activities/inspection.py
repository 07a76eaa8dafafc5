"""Looks closer: the read-only tools of the agents, each answering with one item of evidence.

What the tools are about (which model, which window) is never the agent's to say: it comes beside
the agent's words, from the deliberation's own session.
"""

from typing import Final

from pydantic import AwareDatetime, JsonValue
from temporalio import activity

from activities.errors import translated
from trimtab.contracts.base import Name, Record
from trimtab.contracts.evidence import EvidenceItem, EvidenceSource
from trimtab.contracts.evidence_ids import build_column_id, build_document_id, build_segment_id
from trimtab.contracts.model import Distribution, SegmentMetric
from trimtab.contracts.ports import KnowledgeBase, PipelineRunner, Refused

TEXT_LENGTH: Final = 900
"""How much of a document is read."""
BINS_NAMED: Final = 3
"""How many of the bins that moved most are named."""


class Subject(Record):
    """What every look is about: the session state of a deliberation, as it crosses the wall."""

    model: Name
    start: AwareDatetime
    end: AwareDatetime

    @property
    def params(self) -> dict[str, JsonValue]:
        """As parameters of a pipeline."""
        return {
            "model": self.model,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
        }


class Context(Record):
    """The part of an agent's tool context that a tool needs: the wire form of ADK's snapshot."""

    state: Subject


class InspectionActivities:
    """Read-only; what they are asked for may be nonsense."""

    def __init__(self, *, pipelines: PipelineRunner, knowledge: KnowledgeBase) -> None:
        self._pipelines = pipelines
        self._knowledge = knowledge

    @activity.defn
    @translated
    async def inspect_feature(self, feature: str, context: Context) -> EvidenceItem:
        """One column's two distributions."""
        params: dict[str, JsonValue] = {**context.state.params, "feature": feature}
        outputs = await self._pipelines.run("distribution", params)
        return _distribution(Distribution.model_validate(outputs["distribution"]))

    @activity.defn
    @translated
    async def inspect_segment(self, feature: str, segment: str, context: Context) -> EvidenceItem:
        """The champion's metric on the rows of one category."""
        params: dict[str, JsonValue] = {
            **context.state.params,
            "feature": feature,
            "segment": segment,
        }
        outputs = await self._pipelines.run("segment", params)
        return _segment(SegmentMetric.model_validate(outputs["segment"]))

    @activity.defn
    @translated
    def read_document(self, document_id: str, context: Context) -> EvidenceItem:  # noqa: ARG002 - every tool gets it
        """One runbook or past incident."""
        document = self._knowledge.document(document_id)
        if document is None:
            msg = f"there is no document {document_id[:100]!r}: use an id from the case"
            raise Refused(msg)
        return EvidenceItem(
            id=build_document_id(document.id),
            source=EvidenceSource.KNOWLEDGE,
            statement=" ".join(f"{document.title}: {document.text}".split())[:TEXT_LENGTH],
            value=document.similarity,
        )


def _distribution(found: Distribution) -> EvidenceItem:
    moves = sorted(
        zip(found.bins, found.reference, found.current, strict=True),
        key=lambda move: -abs(move[2] - move[1]),
    )
    named = ", ".join(
        f"{name} from {then:.1%} to {now:.1%} of rows" for name, then, now in moves[:BINS_NAMED]
    )
    distance = sum(abs(now - then) for _, then, now in moves) / 2
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


def _segment(found: SegmentMetric) -> EvidenceItem:
    return EvidenceItem(
        id=build_segment_id(found.feature, found.segment),
        source=EvidenceSource.INSPECTION,
        statement=(
            f"On the {found.rows} rows with {found.feature} = {found.segment[:80]} the champion's "
            f"{found.metric} is {_figure(found.current)}, and was {_figure(found.reference)} "
            "in the reference."
        ),
        value=found.current,
        column=found.feature,
    )


def _figure(value: float | None) -> str:
    return "not known" if value is None else f"{value:.4f}"

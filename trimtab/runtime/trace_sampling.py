"""Limits traces to one per incident: a call from outside, such as a query, starts none."""

from collections.abc import Sequence
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
)
from opentelemetry.trace import Link, SpanKind
from opentelemetry.trace.span import TraceState
from opentelemetry.util.types import Attributes
from typing_extensions import override

_OUTSIDE_CALLS: Final = ("HandleQuery:", "HandleSignal:", "HandleUpdate:", "ValidateUpdate:")
"""Spans of Temporal's interceptor that have no parent when a person or a command line calls."""


class _RootSampler(Sampler):
    """Decides on spans without a parent."""

    @override
    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        if name.startswith(_OUTSIDE_CALLS):
            return SamplingResult(Decision.DROP)
        return ALWAYS_ON.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    @override
    def get_description(self) -> str:
        return "TrimtabRoots"


def make_incident_sampler() -> Sampler:
    """Return a sampler that keeps every trace but those of queries, signals and updates."""
    return ParentBased(root=_RootSampler())

"""Keeps traces to one an incident: what is asked from outside, such as a query, opens none."""

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

_FROM_OUTSIDE: Final = ("HandleQuery:", "HandleSignal:", "HandleUpdate:", "ValidateUpdate:")
"""Spans of Temporal's interceptor that have no parent when a person or a command line asks."""


class _Roots(Sampler):
    """Decides on spans without a parent."""

    def should_sample(  # noqa: PLR0913, PLR0917 - the base class's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Drop what comes from outside."""
        if name.startswith(_FROM_OUTSIDE):
            return SamplingResult(Decision.DROP)
        return ALWAYS_ON.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """For logs."""
        return "TrimtabRoots"


def incident_sampler() -> Sampler:
    """Everything below a root that is kept; no root for queries, signals and updates."""
    return ParentBased(root=_Roots())

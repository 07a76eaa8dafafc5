"""Reads the signs that a document lists, so that documents and queries are comparable.

A document that lists its signs is found by the very words that `policies.knowledge_query` writes
for such a finding, whatever the document's own wording.
"""

from pydantic import BaseModel, ConfigDict, Field

from policies.knowledge_query import (
    FindingSigns,
    LossSign,
    MeasuredSign,
    PerformanceSign,
    format_query,
)
from trimtab.contracts.drift import FaultKind, FeatureRole


class IncidentSigns(BaseModel):
    """Signs of a drift event that a document applies to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drifted: tuple[FeatureRole, ...] = Field(max_length=5)
    """Roles of the columns that drifted."""
    faults: tuple[FaultKind, ...] = Field(max_length=5)
    """Kinds of `contracts.drift.QualityFault`."""
    performance: PerformanceSign
    loss: LossSign | None = None
    """Attribution of a degraded champion's loss; None if it was not estimated."""
    measured: tuple[MeasuredSign, ...] = Field(default=(), max_length=6)
    """What the measurements showed that tell causes apart."""

    def build_query(self) -> str:
        """Return the query by which Trimtab would search for such a case."""
        return format_query(
            FindingSigns(
                drifted=frozenset(self.drifted),
                faults=self.faults,
                performance=self.performance,
                loss=self.loss,
                measured=frozenset(self.measured),
            )
        )

"""Describes a case as Trimtab searches for it, so that documents and queries are comparable.

The query comes from `policies.knowledge_query.describe_finding`. A document that lists its signs is
found by the very sentences that describe such a finding, whatever the document's own wording.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from policies.knowledge_query import describe_finding
from trimtab.contracts.drift import (
    DriftFinding,
    FaultKind,
    FeatureDrift,
    FeatureKind,
    FeatureRole,
    PerformanceChange,
    QualityFault,
    Severity,
    Window,
)

DriftedColumns = Sequence[tuple[FeatureRole, str]]
"""Columns that drifted: what each is to the model, and its name."""

FAULT_KINDS: Final[tuple[str, ...]] = get_args(FaultKind)

_WINDOW: Final = Window(
    start=datetime(2000, 1, 1, tzinfo=UTC), end=datetime(2000, 1, 2, tzinfo=UTC), rows=1
)
"""Any window: the description does not mention it."""


class PerformanceSign(StrEnum):
    """Performance of the champion on labelled rows."""

    DEGRADED = "degraded"
    """It lost more than is tolerated."""
    FINE = "fine"
    """It is within tolerance."""
    UNKNOWN = "unknown"
    """No labels have come."""


class LossSign(StrEnum):
    """Attribution of a degraded champion's loss."""

    EXPLAINED = "explained"
    """The inputs moved to where it errs more."""
    UNEXPLAINED = "unexplained"
    """The same inputs have come to mean another target."""


class IncidentSigns(BaseModel):
    """Signs of a drift event that a document applies to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drifted: tuple[FeatureRole, ...] = Field(max_length=5)
    """Roles of the columns that drifted."""
    faults: tuple[str, ...] = Field(max_length=5)
    """Kinds of `contracts.drift.QualityFault`."""
    performance: PerformanceSign
    loss: LossSign | None = None
    """Attribution of a degraded champion's loss; None if it was not estimated."""

    @field_validator("faults")
    @classmethod
    def _check_kinds(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [kind for kind in kinds if kind not in FAULT_KINDS]
        if unknown:
            msg = f"{unknown} are no kinds of quality fault: use {', '.join(FAULT_KINDS)}"
            raise ValueError(msg)
        return kinds

    def build_query(self) -> str:
        """Return the query by which Trimtab would search for such a case."""
        columns = [(role, "column") for role in self.drifted]
        return build_query(
            columns, faults=self.faults, performance=self.performance, loss=self.loss
        )


def build_query(
    columns: DriftedColumns,
    *,
    faults: Sequence[str],
    performance: PerformanceSign,
    loss: LossSign | None = None,
) -> str:
    """Return the query by which Trimtab would search for a case with these signs."""
    return describe_finding(
        DriftFinding(
            model="model",
            reference=_WINDOW,
            current=_WINDOW,
            severity=Severity.MEDIUM,
            features=tuple(_build_drift(role, name) for role, name in columns),
            quality=tuple(
                QualityFault.model_validate({"kind": kind, "detail": ""}) for kind in faults
            ),
            performance=_build_change(performance),
            concept_loss=None if loss is None else float(loss is LossSign.UNEXPLAINED),
        )
    )


def _build_drift(role: FeatureRole, name: str) -> FeatureDrift:
    return FeatureDrift(
        name=name, kind=FeatureKind.NUMERIC, role=role, psi=1.0, jensen_shannon=1.0, drifted=True
    )


def _build_change(performance: PerformanceSign) -> PerformanceChange | None:
    if performance is PerformanceSign.UNKNOWN:
        return None
    degraded = performance is PerformanceSign.DEGRADED
    return PerformanceChange(metric="metric", reference=1.0, current=0.0, rows=1, degraded=degraded)

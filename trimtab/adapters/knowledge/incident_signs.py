"""Says what a document is about as Trimtab asks: so that like is compared with like.

The question comes from `policies.knowledge_query.describe_finding`. A document that lists its
signs is looked for by the very sentence that such a finding would be described with, whatever its
wording.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from policies.knowledge_query import describe_finding
from trimtab.contracts.drift import (
    DriftFinding,
    FeatureDrift,
    FeatureKind,
    FeatureRole,
    PerformanceChange,
    QualityFault,
    Severity,
    Window,
)

Columns = Sequence[tuple[FeatureRole, str]]
"""Columns that drifted: what each is to the model, and its name."""

FAULT_KINDS: Final[tuple[str, ...]] = get_args(QualityFault.model_fields["kind"].annotation)

_WINDOW: Final = Window(
    start=datetime(2000, 1, 1, tzinfo=UTC), end=datetime(2000, 1, 2, tzinfo=UTC), rows=1
)
"""Any window: the description does not speak of it."""


class Performance(StrEnum):
    """How the champion does on labelled rows."""

    DEGRADED = "degraded"
    """It lost more than is tolerated."""
    FINE = "fine"
    """It is within tolerance."""
    UNKNOWN = "unknown"
    """No labels have come."""


class Loss(StrEnum):
    """What a degraded champion's loss is put down to."""

    EXPLAINED = "explained"
    """The inputs moved to where it errs more."""
    UNEXPLAINED = "unexplained"
    """The same inputs have come to mean another target."""


class Signs(BaseModel):
    """What a drift event shows when it is a case for the document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drifted: tuple[FeatureRole, ...] = Field(max_length=5)
    """What the columns that drifted are to the model."""
    faults: tuple[str, ...] = Field(max_length=5)
    """Kinds of `contracts.drift.QualityFault`."""
    performance: Performance
    loss: Loss | None = None
    """Of a degraded champion; None where nobody parted it."""

    @field_validator("faults")
    @classmethod
    def _are_kinds(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [kind for kind in kinds if kind not in FAULT_KINDS]
        if unknown:
            msg = f"{unknown} are no kinds of quality fault: use {', '.join(FAULT_KINDS)}"
            raise ValueError(msg)
        return kinds

    def question(self) -> str:
        """How Trimtab would ask for such a case."""
        columns = [(role, "column") for role in self.drifted]
        return question(columns, faults=self.faults, performance=self.performance, loss=self.loss)


def question(
    columns: Columns,
    *,
    faults: Sequence[str],
    performance: Performance,
    loss: Loss | None = None,
) -> str:
    """How Trimtab would ask for a case with these signs."""
    return describe_finding(
        DriftFinding(
            model="model",
            reference=_WINDOW,
            current=_WINDOW,
            severity=Severity.MEDIUM,
            features=tuple(_drift(role, name) for role, name in columns),
            quality=tuple(
                QualityFault.model_validate({"kind": kind, "detail": ""}) for kind in faults
            ),
            performance=_change(performance),
            concept_loss=None if loss is None else float(loss is Loss.UNEXPLAINED),
        )
    )


def _drift(role: FeatureRole, name: str) -> FeatureDrift:
    return FeatureDrift(
        name=name, kind=FeatureKind.NUMERIC, role=role, psi=1.0, jensen_shannon=1.0, drifted=True
    )


def _change(performance: Performance) -> PerformanceChange | None:
    if performance is Performance.UNKNOWN:
        return None
    degraded = performance is Performance.DEGRADED
    return PerformanceChange(metric="metric", reference=1.0, current=0.0, rows=1, degraded=degraded)

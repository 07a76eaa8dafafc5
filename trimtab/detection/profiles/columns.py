"""The columns of a window that are monitored: their kind, their role and their sensible bounds."""

from typing import Final

from pydantic import Field

from trimtab.contracts.base import Record
from trimtab.contracts.drift import FeatureKind, FeatureRole
from trimtab.contracts.model import ModelSpec, Task

PREDICTION_COLUMN: Final = "prediction"
"""Name of the column with the champion's predictions."""
SCORE_METRICS: Final = frozenset({"roc_auc"})
"""Metrics that are computed from scores rather than from classes."""


class Column(Record):
    """One monitored column."""

    name: str = Field(min_length=1)
    """As in the table: any text."""
    kind: FeatureKind
    role: FeatureRole = FeatureRole.FEATURE
    minimum: float | None = None
    maximum: float | None = None


def list_monitored_columns(spec: ModelSpec) -> tuple[Column, ...]:
    """Return the model's features, its target and its predictions, in this order.

    For a model that is judged by how it ranks rows, predictions are its scores, which change long
    before a class does.
    """
    features = [
        Column(name=each.name, kind=each.kind, minimum=each.minimum, maximum=each.maximum)
        for each in spec.features
    ]
    target_kind = FeatureKind.NUMERIC if spec.task is Task.REGRESSION else FeatureKind.CATEGORICAL
    target = Column(
        name=spec.target,
        kind=target_kind,
        role=FeatureRole.TARGET,
        minimum=spec.target_minimum,
        maximum=spec.target_maximum,
    )
    taken = {column.name for column in (*features, target)}
    is_taken = PREDICTION_COLUMN in taken
    prediction = Column(
        name=f"{PREDICTION_COLUMN} of the model" if is_taken else PREDICTION_COLUMN,
        kind=FeatureKind.NUMERIC if spec.metric in SCORE_METRICS else target_kind,
        role=FeatureRole.PREDICTION,
    )
    return (*features, target, prediction)

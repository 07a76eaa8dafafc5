"""What is looked at in a window: each column with its kind, its role and its sensible bounds."""

from typing import Final

from pydantic import Field

from trimtab.contracts.base import Record
from trimtab.contracts.drift import FeatureKind, FeatureRole
from trimtab.contracts.model import ModelSpec, Task

PREDICTION_COLUMN: Final = "prediction"
"""Name of the column with what the champion predicted."""
SCORE_METRICS: Final = frozenset({"roc_auc"})
"""Metrics of scores rather than of classes."""


class Column(Record):
    """One column under watch."""

    name: str = Field(min_length=1)
    """As the table has it: any text."""
    kind: FeatureKind
    role: FeatureRole = FeatureRole.FEATURE
    minimum: float | None = None
    maximum: float | None = None


def list_monitored_columns(spec: ModelSpec) -> tuple[Column, ...]:
    """The model's features, its target and its predictions.

    What is watched of a model that is judged by how it ranks rows are its scores, which move long
    before a class does.
    """
    features = [
        Column(name=each.name, kind=each.kind, minimum=each.minimum, maximum=each.maximum)
        for each in spec.features
    ]
    kind = FeatureKind.NUMERIC if spec.task is Task.REGRESSION else FeatureKind.CATEGORICAL
    target = Column(
        name=spec.target,
        kind=kind,
        role=FeatureRole.TARGET,
        minimum=spec.target_minimum,
        maximum=spec.target_maximum,
    )
    taken = {column.name for column in (*features, target)}
    name = (
        PREDICTION_COLUMN if PREDICTION_COLUMN not in taken else f"{PREDICTION_COLUMN} of the model"
    )
    told = FeatureKind.NUMERIC if spec.metric in SCORE_METRICS else kind
    prediction = Column(name=name, kind=told, role=FeatureRole.PREDICTION)
    return (*features, target, prediction)

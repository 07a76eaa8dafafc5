"""What is looked at in a window: each column with its kind, its role and its sensible bounds."""

from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic import Field

from contracts.base import Record
from contracts.drift import FeatureKind, FeatureRole
from contracts.model import ModelSpec, Task

PREDICTION: Final = "prediction"
"""Name of the column with what the champion predicted."""


class Column(Record):
    """One column under watch."""

    name: str = Field(min_length=1)
    """As the table has it: any text."""
    kind: FeatureKind
    role: FeatureRole = FeatureRole.FEATURE
    minimum: float | None = None
    maximum: float | None = None


def columns_of(spec: ModelSpec) -> tuple[Column, ...]:
    """The model's features, its target and its predictions."""
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
    name = PREDICTION if PREDICTION not in taken else f"{PREDICTION} of the model"
    prediction = Column(name=name, kind=kind, role=FeatureRole.PREDICTION)
    return (*features, target, prediction)


def as_numbers(values: "pd.Series[Any]") -> "pd.Series[float]":
    """Numbers as float64; what is no finite number becomes NaN."""
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers.astype("float64").replace([np.inf, -np.inf], np.nan)


def as_categories(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Categories as text, missing ones as NaN; whole numbers lose their ".0"."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return _as_text(values)
    if pd.api.types.is_numeric_dtype(values.dtype):
        known = values.dropna().astype("float64")
        if (known % 1 == 0).all() and (known.abs() < 2**53).all():
            return _as_text(values.astype("float64").astype("Int64"))
    return _as_text(values)


def _as_text(values: "pd.Series[Any]") -> "pd.Series[Any]":
    text = values.astype("object").where(values.notna(), np.nan)
    return text.map(str, na_action="ignore").astype("object")

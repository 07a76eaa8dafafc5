"""Windows of made-up production data, and their profiles."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from trimtab.contracts.drift import FeatureKind, Window
from trimtab.contracts.model import Feature, ModelSpec, Task
from trimtab.detection.profiles.columns import list_monitored_columns
from trimtab.detection.profiles.frames import profile_window
from trimtab.detection.profiles.window_profile import WindowProfile

START = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(days=7)


def make_spec(**changes: Any) -> ModelSpec:
    """Return the specification of a regression on a number and a category."""
    return ModelSpec.model_validate(
        {
            "name": "sales",
            "task": Task.REGRESSION,
            "dataset": "sales",
            "target": "revenue",
            "target_minimum": 0.0,
            "timestamp": "at",
            "features": (
                Feature(name="price", kind=FeatureKind.NUMERIC, minimum=0.0),
                Feature(name="shop", kind=FeatureKind.CATEGORICAL),
            ),
            "window": WEEK,
            "reference_windows": 3,
            "label_delay": timedelta(0),
            "metric": "r2",
            **changes,
        }
    )


def make_table(rows: int = 2000, *, seed: int = 0, **columns: Any) -> pd.DataFrame:
    """Return rows of this model; `columns` replace made-up ones."""
    random = np.random.default_rng(seed)
    made = {
        "price": random.gamma(4.0, 5.0, rows),
        "shop": random.choice(["north", "south", "east", "west"], rows),
        "revenue": random.gamma(9.0, 20.0, rows),
    }
    return pd.DataFrame({**made, **columns})


def profile_table(
    frame: pd.DataFrame,
    *,
    like: WindowProfile | None = None,
    predictions: "pd.Series[float] | None" = None,
    newest: datetime | None = None,
) -> WindowProfile:
    """Return the profile of three weeks, or with `like` of the week after them.

    Predictions are the target unless they are given.
    """
    start, length = (START, 3 * WEEK) if like is None else (START + 3 * WEEK, WEEK)
    values = {"prediction": frame["revenue"] if predictions is None else predictions}
    return profile_window(
        frame,
        [
            (column, values.get(column.name, frame.get(column.name, pd.Series(dtype="float64"))))
            for column in list_monitored_columns(make_spec())
        ],
        model="sales",
        window=Window(start=start, end=start + length, rows=len(frame)),
        newest=newest or start + length - timedelta(minutes=1),
        like=like,
    )

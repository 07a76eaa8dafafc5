"""Versions of made-up models, really trained and served without a registry."""

from typing import Any

import numpy as np
import pandas as pd

from tests.detection.windows import START, WEEK, make_spec
from trimtab.contracts.fitted import FittedModel, ServedModel
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.learning.model_fitting import fit_model


def served(fitted: FittedModel, **changes: Any) -> ServedModel:
    """Return the version that a registry would make of it."""

    def kept(files: Any) -> Any:
        def read(name: str) -> Any:
            if name not in files:
                raise Refused(name)
            return files[name]

        return read

    fields: dict[str, Any] = {
        "version": "1",
        "run_id": "r",
        "metrics": fitted.metrics,
        "tags": fitted.tags,
        "load": lambda: fitted.estimator,
        "artifact": kept(fitted.artifacts),
        "frame": kept(fitted.frames),
        "companion": kept(fitted.companions),
    }
    return ServedModel(**{**fields, **changes})


def classes(metric: str = "roc_auc", **changes: Any) -> ModelSpec:
    """Return the model of `tests.detection.windows` as a classifier of two classes."""
    return make_spec(task=Task.CLASSIFICATION, metric=metric, target_minimum=None, **changes)


def sales(rows: int = 3000, *, start: Any = START, seed: int = 0, **columns: Any) -> pd.DataFrame:
    """Return three weeks of sales, noisy at high prices; `columns` replace generated ones."""
    random = np.random.default_rng(seed)
    made: dict[str, Any] = {
        "price": random.gamma(4.0, 5.0, rows),
        "shop": random.choice(["north", "south", "east", "west"], rows),
        "colour": random.choice(["red", "blue"], rows),
        "at": pd.date_range(start, periods=rows, freq=3 * WEEK / rows),
        **columns,
    }
    price = np.asarray(made["price"], dtype="float64")
    noise = random.normal(0.0, np.where(price > 35.0, 60.0, 4.0))
    made.setdefault("revenue", 200.0 + 3.0 * price + 25.0 * (made["shop"] == "north") + noise)
    return pd.DataFrame(made)


def train_version(rows: pd.DataFrame, model: ModelSpec) -> ServedModel:
    """Return a version trained on the three weeks."""
    weeks = TimeRange(START, START + 3 * WEEK)
    return served(fit_model(rows, model, time_range=weeks, seed=0, tags={}))

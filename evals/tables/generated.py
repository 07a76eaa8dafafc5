"""Generated worlds: customers who leave, loans that default, goods that sell, and fraud.

Each has one important numeric column, an unimportant one, and relations that trees can learn. Rates
of the rarer class are 1:3, 1:30 and 1:250.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from evals.tables.table_world import FIRST_INSTANT, SEASON, TableWorld
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Feature, ModelSpec, Task
from trimtab.detection.profiles.arrays import FloatArray

if TYPE_CHECKING:
    from numpy.random import Generator

TargetEffect = Callable[[pd.DataFrame], FloatArray]
"""Return what the target of each row depends on, about standard normal."""
_CALIBRATION_ROWS: Final = 100_000
_WEEK: Final = timedelta(days=7)


def build_spec(
    name: str,
    task: Task,
    features: tuple[Feature, ...],
    **settings: Any,  # noqa: ANN401 - any field
) -> ModelSpec:
    """Return the configuration of a table's model: weeks, of which four are the reference."""
    fields: dict[str, Any] = {
        "name": name,
        "task": task,
        "dataset": name,
        "target": "target",
        "timestamp": "at",
        "features": features,
        "start": FIRST_INSTANT,
        "window": _WEEK,
        "reference_windows": 4,
        "label_delay": timedelta(0),
        "metric": "r2" if task is Task.REGRESSION else "roc_auc",
        "minimum_rows": 100,
        "season": SEASON,
        "announcement_cooldown": timedelta(days=7),
        "owner": "owner@example.org",
    }
    return ModelSpec.model_validate({**fields, **settings})


def numeric(name: str) -> Feature:
    """Return a numeric feature."""
    return Feature(name=name, kind=FeatureKind.NUMERIC)


def categorical(name: str) -> Feature:
    """Return a categorical feature."""
    return Feature(name=name, kind=FeatureKind.CATEGORICAL)


def build_churn() -> TableWorld:
    """Return customers of whom a third leaves."""
    spec = build_spec(
        "churn",
        Task.CLASSIFICATION,
        (numeric("charges"), numeric("tenure"), numeric("calls"), numeric("balance"),
         categorical("contract"), categorical("region")),
        tolerance=0.03,
    )  # fmt: skip
    return TableWorld(
        spec=spec,
        rows_per_window=800,
        draw_features=_draw_churn,
        draw_target=_build_classifier("churn", _draw_churn, _compute_churn, rate=0.33),
        important="charges",
        unimportant="balance",
        segment_column="region",
        segment="north",
    )


def build_credit() -> TableWorld:
    """Return loans of which one in thirty defaults."""
    spec = build_spec(
        "credit",
        Task.CLASSIFICATION,
        (numeric("utilisation"), numeric("income"), numeric("years"), numeric("age"),
         categorical("purpose"), categorical("channel")),
        tolerance=0.05,
        minimum_rows=200,
    )  # fmt: skip
    return TableWorld(
        spec=spec,
        rows_per_window=1500,
        draw_features=_draw_credit,
        draw_target=_build_classifier("credit", _draw_credit, _compute_credit, rate=1 / 30),
        important="utilisation",
        unimportant="age",
        segment_column="channel",
        segment="branch",
    )


def build_fraud() -> TableWorld:
    """Return payments of which one in 250 is a fraud."""
    spec = build_spec(
        "fraud",
        Task.CLASSIFICATION,
        (numeric("amount"), numeric("distance"), numeric("attempts"), numeric("reference_number"),
         categorical("merchant"), categorical("country")),
        tolerance=0.08,
        minimum_rows=500,
    )  # fmt: skip
    return TableWorld(
        spec=spec,
        rows_per_window=6000,
        draw_features=_draw_fraud,
        draw_target=_build_classifier("fraud", _draw_fraud, _compute_fraud, rate=1 / 250),
        important="amount",
        unimportant="reference_number",
        segment_column="country",
        segment="home",
    )


def build_demand() -> TableWorld:
    """Return sales by price, temperature and store, with a season of the week."""
    spec = build_spec(
        "demand",
        Task.REGRESSION,
        (numeric("price"), numeric("temperature"), numeric("stock"), numeric("batch"),
         categorical("promotion"), categorical("store")),
        time_features=("weekday",),
        tolerance=0.03,
    )  # fmt: skip
    return TableWorld(
        spec=spec,
        rows_per_window=600,
        draw_features=_draw_demand,
        draw_target=_draw_sales,
        important="price",
        unimportant="batch",
        segment_column="store",
        segment="centre",
    )


def _build_classifier(
    name: str,
    draw: Callable[["Generator", pd.DatetimeIndex], pd.DataFrame],
    compute: TargetEffect,
    *,
    rate: float,
) -> Callable[[pd.DataFrame, pd.DataFrame, FloatArray, "Generator"], "pd.Series[Any]"]:
    """Return a function that draws a class: "yes" at the given rate, the likelier the signal."""

    @cache
    def find_threshold() -> float:
        rng = np.random.default_rng([*name.encode()])
        times = pd.date_range(FIRST_INSTANT, periods=_CALIBRATION_ROWS, freq="6s")
        latent = compute(draw(rng, times)) + rng.logistic(0.0, 0.35, _CALIBRATION_ROWS)
        return float(np.quantile(latent, 1.0 - rate))

    def draw_classes(
        rows: pd.DataFrame, mirrored: pd.DataFrame, weights: FloatArray, rng: "Generator"
    ) -> "pd.Series[Any]":
        signal = (1.0 - weights) * compute(rows) + weights * compute(mirrored)
        latent = signal + rng.logistic(0.0, 0.35, len(rows))
        return pd.Series(np.where(latent > find_threshold(), "yes", "no"), index=rows.index)

    return draw_classes


def _draw_churn(rng: "Generator", times: pd.DatetimeIndex) -> pd.DataFrame:
    rows = len(times)
    return pd.DataFrame(
        {
            "charges": rng.normal(70.0, 20.0, rows).round(2),
            "tenure": rng.gamma(2.0, 15.0, rows).round(),
            "calls": rng.poisson(2.0, rows).astype("float64"),
            "balance": rng.normal(1000.0, 300.0, rows).round(2),
            "contract": rng.choice(["month", "year", "two_years"], rows, p=[0.5, 0.3, 0.2]),
            "region": rng.choice(["north", "south", "east", "west"], rows, p=[0.4, 0.3, 0.2, 0.1]),
        }
    )


def _compute_churn(rows: pd.DataFrame) -> FloatArray:
    charges = (rows["charges"].to_numpy(dtype="float64") - 70.0) / 20.0
    tenure = (rows["tenure"].to_numpy(dtype="float64") - 30.0) / 21.0
    contract = rows["contract"].map({"month": 0.5, "year": 0.0, "two_years": -0.6}).fillna(0.0)
    calls = np.minimum(rows["calls"].to_numpy(dtype="float64"), 6.0) - 2.0
    return _scale(
        0.9 * charges - 0.4 * tenure + 0.15 * calls + contract.to_numpy() + 0.2 * charges**2
    )


def _draw_credit(rng: "Generator", times: pd.DatetimeIndex) -> pd.DataFrame:
    rows = len(times)
    return pd.DataFrame(
        {
            "utilisation": rng.normal(50.0, 18.0, rows).round(1),
            "income": rng.lognormal(10.2, 0.4, rows).round(),
            "years": rng.gamma(3.0, 3.0, rows).round(1),
            "age": rng.normal(45.0, 12.0, rows).round(),
            "purpose": rng.choice(["car", "house", "study", "other"], rows),
            "channel": rng.choice(["branch", "online", "agent"], rows, p=[0.5, 0.35, 0.15]),
        }
    )


def _compute_credit(rows: pd.DataFrame) -> FloatArray:
    utilisation = (rows["utilisation"].to_numpy(dtype="float64") - 50.0) / 18.0
    income = (np.log(rows["income"].to_numpy(dtype="float64").clip(1.0)) - 10.2) / 0.4
    years = (rows["years"].to_numpy(dtype="float64") - 9.0) / 5.2
    purpose = rows["purpose"].map({"study": 0.4, "other": 0.2, "house": -0.3}).fillna(0.0)
    return _scale(1.3 * utilisation - 0.5 * income - 0.3 * years + purpose.to_numpy())


def _draw_fraud(rng: "Generator", times: pd.DatetimeIndex) -> pd.DataFrame:
    rows = len(times)
    return pd.DataFrame(
        {
            "amount": rng.normal(100.0, 30.0, rows).round(2),
            "distance": rng.gamma(2.0, 20.0, rows).round(1),
            "attempts": rng.poisson(1.0, rows).astype("float64"),
            "reference_number": rng.uniform(0.0, 1000.0, rows).round(),
            "merchant": rng.choice(["food", "travel", "games", "tools"], rows),
            "country": rng.choice(["home", "near", "far"], rows, p=[0.6, 0.3, 0.1]),
        }
    )


def _compute_fraud(rows: pd.DataFrame) -> FloatArray:
    amount = (rows["amount"].to_numpy(dtype="float64") - 100.0) / 30.0
    distance = (rows["distance"].to_numpy(dtype="float64") - 40.0) / 28.0
    attempts = np.minimum(rows["attempts"].to_numpy(dtype="float64"), 5.0) - 1.0
    merchant = rows["merchant"].map({"games": 0.5, "travel": 0.2}).fillna(0.0)
    return _scale(1.4 * amount + 0.4 * distance + 0.3 * attempts + merchant.to_numpy())


def _draw_demand(rng: "Generator", times: pd.DatetimeIndex) -> pd.DataFrame:
    rows = len(times)
    return pd.DataFrame(
        {
            "price": rng.normal(20.0, 5.0, rows).round(2),
            "temperature": rng.normal(12.0, 5.0, rows).round(1),
            "stock": rng.gamma(5.0, 40.0, rows).round(),
            "batch": rng.uniform(0.0, 500.0, rows).round(),
            "promotion": rng.choice(["none", "poster", "coupon"], rows, p=[0.6, 0.25, 0.15]),
            "store": rng.choice(
                ["centre", "harbour", "hill", "mall"], rows, p=[0.4, 0.3, 0.2, 0.1]
            ),
            "__weekday": times.day_of_week.to_numpy(),
        }
    )


def _draw_sales(
    rows: pd.DataFrame, mirrored: pd.DataFrame, weights: FloatArray, rng: "Generator"
) -> "pd.Series[Any]":
    sales = (1.0 - weights) * _compute_demand(rows) + weights * _compute_demand(mirrored)
    return pd.Series((sales + rng.normal(0.0, 7.0, len(rows))).round(1), index=rows.index)


def _compute_demand(rows: pd.DataFrame) -> FloatArray:
    price = (rows["price"].to_numpy(dtype="float64") - 20.0) / 5.0
    temperature = (rows["temperature"].to_numpy(dtype="float64") - 12.0) / 5.0
    promotion = rows["promotion"].map({"poster": 8.0, "coupon": 15.0}).fillna(0.0)
    store = rows["store"].map({"centre": 10.0, "harbour": 4.0, "mall": 14.0}).fillna(0.0)
    week = 8.0 * np.sin(2.0 * np.pi * rows["__weekday"].to_numpy(dtype="float64") / 7.0)
    return np.asarray(
        100.0 - 18.0 * price + 3.0 * price**2 + 6.0 * temperature + promotion.to_numpy()
        + store.to_numpy() + week,
        dtype="float64",
    )  # fmt: skip


def _scale(signal: FloatArray) -> FloatArray:
    return np.asarray(signal, dtype="float64")

"""A domain classifier tells drifted rows from the reference, at a bounded cost."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from trimtab.contracts.drift import MultivariateDrift
from trimtab.contracts.model import Sensitivity
from trimtab.detection.drift.domain_classifier import detect_multivariate_drift, sample_frame


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small tables: threads would wait for each other."""
    with threadpool_limits(1, user_api="openmp"):
        yield


def rows(
    number: int = 1500, *, seed: int = 0, together: float = 0.0, **columns: Any
) -> pd.DataFrame:
    """Two numbers, correlated as `together` says, and a category; columns replace them."""
    random = np.random.default_rng(seed)
    first, second = random.normal(size=(2, number))
    made = {
        "height": first,
        "weight": together * first + np.sqrt(1.0 - together**2) * second,
        "town": random.choice(["north", "south", "east"], number).astype("object"),
    }
    return pd.DataFrame({**made, **columns})


def detect(reference: pd.DataFrame, current: pd.DataFrame, **changes: Any) -> MultivariateDrift:
    found = detect_multivariate_drift(reference, current, sensitivity=Sensitivity(**changes))
    assert found is not None
    return found


def test_rows_from_the_same_distribution_are_no_drift() -> None:
    found = detect(rows(), rows(seed=1))

    assert found.low < 0.5 < found.high
    assert not found.drifted
    assert found.importance == {}


@pytest.mark.parametrize(("dependence", "drifted"), [(None, False), (timedelta(0), True)])
def test_a_few_days_with_a_level_of_their_own_are_no_drift(
    dependence: timedelta | None, *, drifted: bool
) -> None:
    def days(number: int, seed: int) -> pd.DataFrame:
        levels = np.random.default_rng(seed).normal(size=number).repeat(200)
        times = pd.date_range("2026-01-05", periods=len(levels), freq="432s", tz="UTC", name="at")
        return rows(len(levels), seed=seed, height=3 * levels).set_index(times)

    found = detect_multivariate_drift(
        days(21, 3), days(7, 8), sensitivity=Sensitivity(), dependence=dependence
    )

    assert found is not None
    assert found.drifted is drifted


def test_an_area_below_one_half_is_no_drift() -> None:
    def stretches(*levels: float) -> pd.DataFrame:
        return rows(1500, seed=len(levels), height=np.repeat(levels, 1500 // len(levels)))

    found = detect(stretches(0.0, 0.0, 9.0), stretches(9.0, 9.0, 0.0))

    assert found.auc == 0.5
    assert found.low < 0.5 <= found.high
    assert not found.drifted


def test_columns_that_are_correlated_differently_are_drift_though_none_moved_alone() -> None:
    found = detect(rows(), rows(seed=1, together=0.9))

    assert found.drifted
    assert found.low > 0.6
    assert list(found.importance)[:2] in (["height", "weight"], ["weight", "height"])
    assert found.importance["town"] < 0.02


def test_a_category_that_took_over_is_the_most_important() -> None:
    found = detect(rows(), rows(seed=1, town=["north"] * 1400 + ["west"] * 100))

    assert found.drifted
    assert next(iter(found.importance)) == "town"


def test_the_interval_is_as_wide_as_repetitions_differ() -> None:
    found = [detect(rows(seed=2 * n), rows(seed=2 * n + 1, together=0.6)) for n in range(5)]

    widths = [each.high - each.low for each in found]
    spread = np.std([each.auc for each in found])
    assert all(each.low < each.auc < each.high for each in found)
    assert 0.5 * spread < np.mean(widths) / 4 < 4 * spread


def test_false_alarms_are_rare() -> None:
    assert not any(
        detect(rows(300, seed=2 * n), rows(300, seed=2 * n + 1)).drifted for n in range(10)
    )


def test_the_same_rows_give_the_same_answer() -> None:
    one, other = (detect(rows(), rows(seed=1, together=0.5)) for _ in range(2))

    assert one == other


def test_no_more_rows_are_compared_than_configured() -> None:
    assert detect(rows(), rows(seed=1), rows_compared=400).rows == 400


def test_rows_that_share_their_hour_are_no_drift() -> None:
    def hours(seed: int) -> pd.DataFrame:
        weather = np.random.default_rng(seed).normal(size=60)
        return rows(1500, seed=seed, weight=np.repeat(weather, 25))

    found = detect(hours(0), hours(1))

    assert not found.drifted, "rows of one hour share its weather, and hours come once"


@pytest.mark.parametrize("empty", ["height", "town"])
def test_an_empty_column_is_compared_like_any_other(empty: str) -> None:
    nothing = rows().assign(**{empty: pd.Series(np.nan, index=range(1500), dtype="float64")})

    assert detect(nothing, nothing).auc < 0.6
    assert detect(rows(), nothing).drifted


def test_missing_values_and_many_categories_are_compared() -> None:
    many = [f"town {number % 700}" for number in range(1500)]
    holes = rows(town=many).assign(height=np.where(np.arange(1500) % 3 == 0, np.nan, 1.0))

    assert detect(holes, holes).auc == pytest.approx(0.5, abs=0.06)


def test_too_few_rows_or_no_common_column_are_not_compared() -> None:
    assert detect_multivariate_drift(rows(99), rows(), sensitivity=Sensitivity()) is None
    assert (
        detect_multivariate_drift(rows()[["height"]], rows()[["town"]], sensitivity=Sensitivity())
        is None
    )


def test_a_sample_keeps_the_order_of_time() -> None:
    drawn = sample_frame(pd.DataFrame({"position": range(1000)}), 100, seed=3)

    assert len(drawn) == 100
    assert drawn["position"].is_monotonic_increasing
    assert sample_frame(drawn, 100) is drawn


def test_importance_is_measured_on_rows_of_every_fold() -> None:
    random = np.random.default_rng(0)
    sides = [
        pd.DataFrame({"price": random.normal(mean, 1.0, 3500), "size": random.normal(size=3500)})
        for mean in (0.0, 2.0)
    ]

    found = detect_multivariate_drift(*sides, sensitivity=Sensitivity())

    assert found is not None
    assert next(iter(found.importance)) == "price"

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.detection import windows
from tests.pipelines.scoring.test_calibration import version
from trimtab.contracts.drift import PerformanceChange, PerformanceEstimate
from trimtab.contracts.fitted import BASELINE_WINDOWS_FILE
from trimtab.contracts.model import ModelSpec
from trimtab.detection.performance.performance_impact import PerformanceImpact
from trimtab.pipelines.scoring.baseline_windows import (
    WindowBaseline,
    WindowBaselines,
    compare_impact_with_baseline,
    compare_realised_with_baseline,
    load_window_baselines,
    measure_baseline_windows,
)
from trimtab.pipelines.scoring.performance_estimation import EstimationArtifacts

MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOTHING = EstimationArtifacts({}, {})


class Noisy:
    """A model whose error is the same at each hour, while the target varies more by day."""

    def predict(self, table: pd.DataFrame) -> Any:
        return table["price"].to_numpy()


def hourly(**changes: Any) -> ModelSpec:
    return windows.spec(**{"window": HOUR, "minimum_rows": 30, **changes})


def held_out(days: int) -> pd.DataFrame:
    chance = np.random.default_rng(4)
    times = pd.date_range(MIDNIGHT, periods=days * 24 * 60, freq="min")
    varies = np.where((times.hour >= 6) & (times.hour < 18), 10.0, 2.0)
    price = 100 + varies * chance.normal(size=len(times))
    return pd.DataFrame(
        {
            "at": times,
            "price": price,
            "shop": "a",
            "revenue": price + chance.normal(size=len(times)),
        }
    )


def change(current: float) -> PerformanceChange:
    return PerformanceChange(metric="r2", reference=0.99, current=current, rows=60, degraded=True)


@pytest.fixture(scope="module")
def standards() -> WindowBaselines:
    kept = measure_baseline_windows(Noisy(), held_out(7), hourly(), NOTHING)
    return load_window_baselines(version(kept))


def test_an_hour_is_held_to_that_hour(standards: WindowBaselines) -> None:
    assert standards.realised is not None
    assert sorted(standards.realised.means) == list(range(24))
    assert standards.realised.means[12] == pytest.approx(0.99, abs=0.01)
    assert standards.realised.means[3] == pytest.approx(0.75, abs=0.08)


@pytest.mark.parametrize(
    ("hour", "current", "degraded"), [(3, 0.7, False), (3, 0.2, True), (12, 0.5, True)]
)
def test_degraded_is_what_is_less_than_usual_at_that_hour(
    standards: WindowBaselines, hour: int, current: float, *, degraded: bool
) -> None:
    found = compare_realised_with_baseline(
        change(current),
        hourly(),
        standards.realised,
        start=MIDNIGHT + timedelta(days=9, hours=hour),
        alpha=1e-4,
    )

    assert found is not None
    assert found.degraded is degraded
    assert found.reference < 0.999


def test_the_hour_is_the_same_in_every_zone(standards: WindowBaselines) -> None:
    start = MIDNIGHT + timedelta(days=9, hours=3)
    here, there = start, start.astimezone(timezone(timedelta(hours=9)))

    found = [
        compare_realised_with_baseline(
            change(0.7), hourly(), standards.realised, start=each, alpha=1e-4
        )
        for each in (here, there)
    ]

    assert found[0] == found[1]


def test_the_estimate_is_held_to_that_hour_too() -> None:
    estimate = PerformanceEstimate(
        metric="r2", reference=0.99, estimated=0.7, rows=60, method="direct_loss", degraded=True
    )
    usual = WindowBaseline(means={3: 0.72}, spread=0.03)

    found = compare_impact_with_baseline(
        PerformanceImpact(estimate=estimate, concept_loss=0.3),
        hourly(),
        WindowBaselines(realised=usual, estimated=usual),
        performance=change(0.7).model_copy(update={"reference": 0.72}),
        start=MIDNIGHT + 3 * HOUR,
        alpha=0.01,
    )

    assert found.estimate is not None
    assert (found.estimate.reference, found.estimate.degraded) == (0.72, False)
    assert found.concept_loss == 0.0


def test_weeks_are_held_to_what_was_held_out() -> None:
    assert measure_baseline_windows(Noisy(), held_out(7), windows.spec(), NOTHING) == {}
    assert compare_realised_with_baseline(
        change(0.9), windows.spec(), None, start=MIDNIGHT, alpha=None
    ) == change(0.9)


def test_days_are_held_to_days() -> None:
    kept = measure_baseline_windows(Noisy(), held_out(7), hourly(window=24 * HOUR), NOTHING)

    usual = load_window_baselines(version(kept)).realised
    assert usual is not None
    assert list(usual.means) == [0]
    assert 0.0 < usual.spread < 0.01


def test_too_few_windows_say_nothing_of_what_is_usual() -> None:
    kept = measure_baseline_windows(Noisy(), held_out(7).head(180), hourly(), NOTHING)

    assert WindowBaselines.model_validate(kept[BASELINE_WINDOWS_FILE]) == WindowBaselines()


def test_a_version_of_old_has_none() -> None:
    assert load_window_baselines(version({})) == WindowBaselines()

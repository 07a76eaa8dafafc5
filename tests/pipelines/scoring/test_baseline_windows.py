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
    """A model with the same error at each hour, for a target that varies more by day."""

    def predict(self, table: pd.DataFrame) -> Any:
        return table["price"].to_numpy()


def hourly(**changes: Any) -> ModelSpec:
    return windows.make_spec(**{"window": HOUR, "minimum_rows": 30, **changes})


def held_out(days: int) -> pd.DataFrame:
    random = np.random.default_rng(4)
    times = pd.date_range(MIDNIGHT, periods=days * 24 * 60, freq="min")
    varies = np.where((times.hour >= 6) & (times.hour < 18), 10.0, 2.0)
    price = 100 + varies * random.normal(size=len(times))
    return pd.DataFrame(
        {
            "at": times,
            "price": price,
            "shop": "a",
            "revenue": price + random.normal(size=len(times)),
        }
    )


def change(current: float) -> PerformanceChange:
    return PerformanceChange(metric="r2", reference=0.99, current=current, rows=60, degraded=True)


@pytest.fixture(scope="module")
def baselines() -> WindowBaselines:
    kept = measure_baseline_windows(Noisy(), held_out(7), hourly(), NOTHING)
    return load_window_baselines(version(kept))


def test_an_hour_is_compared_with_the_same_hour(baselines: WindowBaselines) -> None:
    assert baselines.realised is not None
    assert sorted(baselines.realised.means) == list(range(24))
    assert baselines.realised.means[12] == pytest.approx(0.99, abs=0.01)
    assert baselines.realised.means[3] == pytest.approx(0.75, abs=0.08)


@pytest.mark.parametrize(
    ("hour", "current", "degraded"), [(3, 0.7, False), (3, 0.2, True), (12, 0.5, True)]
)
def test_a_metric_below_the_baseline_of_its_hour_is_degraded(
    baselines: WindowBaselines, hour: int, current: float, *, degraded: bool
) -> None:
    found = compare_realised_with_baseline(
        change(current),
        hourly(),
        baselines.realised,
        start=MIDNIGHT + timedelta(days=9, hours=hour),
        alpha=1e-4,
    )

    assert found is not None
    assert found.degraded is degraded
    assert found.reference < 0.999


def test_the_hour_is_the_same_in_every_time_zone(baselines: WindowBaselines) -> None:
    start = MIDNIGHT + timedelta(days=9, hours=3)
    here, there = start, start.astimezone(timezone(timedelta(hours=9)))

    found = [
        compare_realised_with_baseline(
            change(0.7), hourly(), baselines.realised, start=each, alpha=1e-4
        )
        for each in (here, there)
    ]

    assert found[0] == found[1]


def test_the_estimate_is_compared_with_the_same_hour_too() -> None:
    estimate = PerformanceEstimate(
        metric="r2", reference=0.99, estimated=0.7, rows=60, method="direct_loss", degraded=True
    )
    baseline = WindowBaseline(means={3: 0.72}, spread=0.03)

    found = compare_impact_with_baseline(
        PerformanceImpact(estimate=estimate, concept_loss=0.3),
        hourly(),
        WindowBaselines(realised=baseline, estimated=baseline),
        performance=change(0.7).model_copy(update={"reference": 0.72}),
        start=MIDNIGHT + 3 * HOUR,
        alpha=0.01,
    )

    assert found.estimate is not None
    assert (found.estimate.reference, found.estimate.degraded) == (0.72, False)
    assert found.concept_loss == 0.0


def test_windows_of_a_week_have_no_baseline() -> None:
    assert measure_baseline_windows(Noisy(), held_out(7), windows.make_spec(), NOTHING) == {}
    assert compare_realised_with_baseline(
        change(0.9), windows.make_spec(), None, start=MIDNIGHT, alpha=None
    ) == change(0.9)


def test_windows_of_a_day_share_one_baseline() -> None:
    kept = measure_baseline_windows(Noisy(), held_out(7), hourly(window=24 * HOUR), NOTHING)

    baseline = load_window_baselines(version(kept)).realised
    assert baseline is not None
    assert list(baseline.means) == [0]
    assert 0.0 < baseline.spread < 0.01


def test_too_few_windows_give_no_baseline() -> None:
    kept = measure_baseline_windows(Noisy(), held_out(7).head(180), hourly(), NOTHING)

    assert WindowBaselines.model_validate(kept[BASELINE_WINDOWS_FILE]) == WindowBaselines()


def test_an_old_version_has_no_baselines() -> None:
    assert load_window_baselines(version({})) == WindowBaselines()

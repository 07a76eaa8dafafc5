from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.detection import windows
from trimtab.contracts.drift import Window
from trimtab.contracts.fitted import CALIBRATION_FILE, SEASONAL_PROFILES_FILE, ServedModel
from trimtab.contracts.model import ModelSpec, ReferencePeriod
from trimtab.contracts.ports import Refused
from trimtab.detection.calibration.seasonality import SeasonalProfiles, find_seasonal_pattern
from trimtab.detection.calibration.thresholds import Calibration
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.history.profiling import profile_rows
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.scoring.calibration import (
    build_calibration_plan,
    calibrate_reference,
    load_calibration,
    load_seasonal_profiles,
    select_matching_phases,
)

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def spec(**changes: Any) -> ModelSpec:
    return windows.make_spec(**{"minimum_rows": 5, **changes})


def history(days: int, *, every: timedelta = HOUR / 10) -> pd.DataFrame:
    """Return prices that follow the hour, in random order."""
    random = np.random.default_rng(3)
    times = pd.date_range(START, START + days * DAY, freq=every, inclusive="left")
    hour = times.hour.to_numpy() / 24 * 2 * np.pi
    table = pd.DataFrame(
        {
            "at": times,
            "price": 50 + 20 * np.sin(hour) + random.normal(size=len(times)),
            "shop": random.choice(["north", "south"], len(times)),
            "revenue": random.gamma(9.0, 20.0, len(times)),
        }
    )
    return table.sample(frac=1.0, random_state=1).reset_index(drop=True)


def stored(
    rows: pd.DataFrame, spec: ModelSpec, days: int
) -> "tuple[WindowProfile, dict[str, Any]]":
    predictions = rows["revenue"] + 1.0
    days_range = TimeRange(START, START + days * DAY)
    profile = profile_rows(rows, spec, time_range=days_range, predictions=predictions)
    return profile, calibrate_reference(rows, spec, predictions=predictions, profile=profile)


def version(artifacts: dict[str, Any]) -> ServedModel:
    def artifact(name: str) -> Any:
        if name not in artifacts:
            msg = f"no {name}"
            raise Refused(msg)
        return artifacts[name]

    return ServedModel(
        version="1", run_id="r", metrics={}, tags={}, load=lambda: None, artifact=artifact
    )


def test_weekly_windows_are_calibrated_by_days_without_seasonal_profiles() -> None:
    _, kept = stored(history(21), spec(), 21)

    calibration = Calibration.model_validate(kept[CALIBRATION_FILE])
    assert set(kept) == {CALIBRATION_FILE}
    assert (calibration.block, calibration.blocks) == (DAY, 21)
    assert set(calibration.thresholds) == {"price", "shop", "revenue", "prediction"}
    assert calibration.windows_per_year == pytest.approx(52.18, abs=0.01)


@pytest.mark.parametrize(
    ("every", "windows_per_year", "checks"),
    [(None, 52.2, 1), (HOUR, 52.2, 168), (7 * DAY, 52.2, 1), (14 * DAY, 26.1, 1)],
)
def test_the_budget_counts_every_check(
    every: timedelta | None, windows_per_year: float, checks: float
) -> None:
    pattern = find_seasonal_pattern(7 * DAY, Window(start=START, end=START + 28 * DAY, rows=0))

    plan = build_calibration_plan(spec(monitored_every=every), pattern)

    assert (round(plan.windows_per_year, 1), plan.checks_per_window) == (windows_per_year, checks)
    assert plan.repeats_per_window == 7


def test_hourly_windows_are_calibrated_and_matched_by_hour() -> None:
    rows = history(7)
    profile, kept = stored(rows, spec(window=HOUR, reference_windows=168), 7)

    calibration = Calibration.model_validate(kept[CALIBRATION_FILE])
    seasonal = SeasonalProfiles.model_validate(kept[SEASONAL_PROFILES_FILE])
    assert calibration.blocks == 168
    assert sorted(seasonal.profiles) == list(range(24))
    assert sum(each.window.rows for each in seasonal.profiles.values()) == profile.window.rows


def test_every_row_is_in_one_block_whatever_the_order_of_the_table() -> None:
    rows = history(14)

    _, kept = stored(rows, spec(window=DAY, reference_windows=14), 14)
    _, ordered = stored(
        rows.sort_values("at").reset_index(drop=True), spec(window=DAY, reference_windows=14), 14
    )

    assert kept == ordered
    assert kept[CALIBRATION_FILE]["rows"] == 240.0


@pytest.mark.parametrize(
    ("reference", "season", "lag"),
    [
        (ReferencePeriod.TRAINING, 7 * DAY, 0),
        (ReferencePeriod.PREVIOUS, 7 * DAY, 1),
        (ReferencePeriod.SEASON, 7 * DAY, 168),
        (ReferencePeriod.SEASON, DAY, 24),
    ],
)
def test_the_lag_depends_on_the_reference_period(
    reference: ReferencePeriod, season: timedelta, lag: int
) -> None:
    hourly = spec(window=HOUR, reference_windows=672, reference=reference, season=season)
    pattern = find_seasonal_pattern(HOUR, Window(start=START, end=START + 28 * DAY, rows=0))

    plan = build_calibration_plan(hourly, pattern)

    assert plan.lag == lag
    assert plan.matched is (reference is ReferencePeriod.TRAINING)


def test_rows_are_compared_with_rows_of_the_same_hours() -> None:
    rows = history(7)
    _, kept = stored(rows, spec(window=HOUR, reference_windows=168), 7)
    seasonal = SeasonalProfiles.model_validate(kept[SEASONAL_PROFILES_FILE])
    later = rows[rows["at"].dt.hour == 5].assign(at=lambda table: table["at"] + 7 * DAY)

    found = select_matching_phases(rows, later, spec(), seasonal)

    assert set(found["at"].dt.hour) == {5}
    assert len(found) == 70
    assert select_matching_phases(rows, later, spec(), None) is rows


def test_an_old_version_has_neither() -> None:
    old = version({})

    assert load_calibration(old) is None
    assert load_seasonal_profiles(old) is None

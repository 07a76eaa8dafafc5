import json
from datetime import timedelta

import numpy as np
import pytest

from tests.detection.streams import MONDAY, make_block, make_stream, merge_blocks
from trimtab.contracts.drift import Window
from trimtab.detection.calibration.false_alarm_budget import CalibrationPlan
from trimtab.detection.calibration.seasonality import (
    DAY,
    WEEK,
    SeasonalProfiles,
    build_seasonal_profiles,
    find_seasonal_pattern,
    match_season,
)
from trimtab.detection.calibration.thresholds import calibrate_thresholds, scale_thresholds
from trimtab.detection.drift.column_drift import measure_feature_drift
from trimtab.detection.profiles.window_profile import WindowProfile

HOUR = timedelta(hours=1)
WEEKS = 4
HOURS = 24 * 7
MONTH = Window(start=MONDAY, end=MONDAY + WEEKS * WEEK, rows=0)


def hourly(seed: int, *, changed: int | None = None) -> "list[WindowProfile]":
    """Return five weeks of hours with a strong daily season; the hour `changed` is different."""
    random = np.random.default_rng(seed)

    def make_hour(hour: int) -> np.ndarray:
        phase = hour % 24
        level = 10 * np.sin(phase / 24 * 2 * np.pi) + (3.0 if hour % HOURS >= 120 else 0.0)
        level += 2.0 if hour == changed else 0.0
        rows = 60 + 10 * (phase % 12)
        return random.normal([level, -level], 1.0, (rows, 2))

    return make_stream(make_hour, HOURS * (WEEKS + 1), reference=HOURS * WEEKS, length=HOUR)


def alarms(blocks: list[WindowProfile]) -> list[int]:
    """Return the hours of the fifth week that drifted from the first four weeks."""
    known = blocks[: HOURS * WEEKS]
    reference, pattern = merge_blocks(known), find_seasonal_pattern(HOUR, MONTH)
    seasonal = build_seasonal_profiles(known, pattern)
    plan = CalibrationPlan(
        window=pattern.window,
        season=pattern.season,
        matched=pattern.matched,
        windows_per_year=8766,
        false_alarms_per_year=1,
    )
    found = calibrate_thresholds(known, plan)
    return [
        hour
        for hour, now in enumerate(blocks[HOURS * WEEKS :])
        if any(
            each.drifted
            for each in measure_feature_drift(
                match_season(reference, seasonal, now.window),
                now,
                thresholds=scale_thresholds(found, now),
            )
        )
    ]


def test_a_strong_daily_season_is_no_drift() -> None:
    assert alarms(hourly(1)) == []


def test_a_real_change_at_one_hour_is_drift() -> None:
    assert alarms(hourly(2, changed=HOURS * WEEKS + 40)) == [40]


def test_without_matching_nearly_every_hour_drifts() -> None:
    blocks = hourly(3)
    reference = merge_blocks(blocks[: HOURS * WEEKS])

    drifted = [
        any(d.drifted for d in measure_feature_drift(reference, now)) for now in blocks[-24:]
    ]

    assert sum(drifted) > 20


@pytest.mark.parametrize(
    ("window", "weeks", "expected"),
    [
        (WEEK, 3, (DAY, 7, 7, False)),
        (WEEK, 2, (DAY, 7, 1, False)),
        (DAY, 4, (DAY, 1, 7, True)),
        (DAY, 1, (DAY, 1, 1, False)),
        (HOUR, 4, (HOUR, 1, 168, True)),
        (HOUR, 1, (HOUR, 1, 24, True)),
        (2 * DAY, 4, (DAY, 2, 7, True)),
        (30 * DAY, 13, (DAY, 30, 7, False)),
        (84 * DAY, 36, (WEEK, 12, 1, False)),
        (timedelta(hours=36), 9, (timedelta(hours=36), 1, 1, False)),
    ],
)
def test_blocks_are_whole_days_if_windows_are(
    window: timedelta, weeks: int, expected: tuple[timedelta, int, int, bool]
) -> None:
    found = find_seasonal_pattern(window, Window(start=MONDAY, end=MONDAY + weeks * WEEK, rows=0))

    assert (found.block, found.window, found.season, found.matched) == expected


def test_whole_weeks_need_no_seasonal_profiles() -> None:
    blocks = hourly(4)[:HOURS]

    assert build_seasonal_profiles(blocks, find_seasonal_pattern(WEEK, MONTH)) is None
    reference = merge_blocks(blocks)
    assert match_season(reference, None, blocks[0].window) is reference


def test_all_seasonal_profiles_together_are_the_reference() -> None:
    blocks = hourly(5)[: HOURS * WEEKS]
    reference = merge_blocks(blocks)
    seasonal = build_seasonal_profiles(blocks, find_seasonal_pattern(HOUR, MONTH))

    found = match_season(reference, seasonal, reference.window)

    assert found.window.rows == reference.window.rows
    for before, now in zip(reference.columns, found.columns, strict=True):
        assert now.counts == before.counts
        assert now.mean == pytest.approx(before.mean, abs=1e-9)
        assert now.std == pytest.approx(before.std)


def test_a_window_across_two_hours_is_compared_with_both_by_their_overlap() -> None:
    blocks = hourly(6)[: HOURS * WEEKS]
    reference = merge_blocks(blocks)
    seasonal = build_seasonal_profiles(blocks, find_seasonal_pattern(HOUR, MONTH))
    start = blocks[6].window.start + timedelta(minutes=45)
    window = blocks[6].window.model_copy(update={"start": start, "end": start + HOUR})

    found = match_season(reference, seasonal, window).columns[0]

    first, second = (
        match_season(reference, seasonal, blocks[hour].window).columns[0] for hour in (6, 7)
    )
    rows = first.value_count / 3 + second.value_count
    assert found.value_count == pytest.approx(rows, abs=2)
    expected = (
        (first.mean or 0) * first.value_count / 3 + (second.mean or 0) * second.value_count
    ) / rows
    assert found.mean == pytest.approx(expected, abs=0.01)


def test_the_matched_reference_has_the_row_rate_of_the_hour() -> None:
    blocks = hourly(7)[: HOURS * WEEKS]
    reference = merge_blocks(blocks)
    seasonal = build_seasonal_profiles(blocks, find_seasonal_pattern(HOUR, MONTH))

    found = match_season(reference, seasonal, blocks[11].window)

    assert found.window.rows == blocks[11].window.rows * HOURS * WEEKS
    assert found.columns[0].value_count == blocks[11].window.rows * WEEKS


def test_a_window_in_whose_phase_the_reference_has_no_rows_is_compared_with_all_of_it() -> None:
    def daytime(hour: int) -> np.ndarray:
        return np.random.default_rng(hour).normal(size=(100 if 8 <= hour % 24 < 18 else 0, 1))

    blocks = make_stream(daytime, HOURS * WEEKS, reference=HOURS * WEEKS, length=HOUR)
    reference = merge_blocks(blocks)
    seasonal = build_seasonal_profiles(blocks, find_seasonal_pattern(HOUR, MONTH))

    assert match_season(reference, seasonal, blocks[3].window) is reference


def test_seasonal_profiles_survive_json_and_are_compact() -> None:
    blocks = hourly(8)[: HOURS * WEEKS]
    seasonal = build_seasonal_profiles(blocks, find_seasonal_pattern(HOUR, MONTH))
    assert seasonal is not None

    kept = seasonal.model_dump_json(exclude_defaults=True)

    assert SeasonalProfiles.model_validate_json(kept) == seasonal
    assert set(json.loads(kept)) == {"rhythm", "profiles", "blocks"}, "as earlier releases wrote it"
    assert len(kept) < 168 * 2 * 1500


def test_phases_count_from_the_start_of_the_reference() -> None:
    pattern = find_seasonal_pattern(DAY, MONTH)
    first = make_block(np.ones((10, 1)), 0)

    assert pattern.find_phase(first.window.start) == 0
    assert pattern.find_phase(first.window.start - HOUR) == 6

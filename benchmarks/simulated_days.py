"""Simulates years of days without drift, which may resemble the day before, and counts alarms.

Only the columns are judged.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from peers import RAW_TEST_ALPHA
from scipy import stats

from trimtab.contracts.drift import FeatureKind, Window
from trimtab.detection.calibration.false_alarm_budget import DETECTORS, YEAR, CalibrationPlan
from trimtab.detection.calibration.resampling import collect_bin_counts, compute_psi_by_window
from trimtab.detection.calibration.thresholds import calibrate_thresholds, scale_thresholds
from trimtab.detection.drift.column_drift import measure_feature_drift
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.group_counts import profile_numbers
from trimtab.detection.profiles.merging import merge_windows
from trimtab.detection.profiles.window_profile import WindowProfile

_DAY: Final = timedelta(days=1)
DAYS_PER_WEEK: Final = 7
HOURS_PER_DAY: Final = 24
WEEKS_PER_YEAR: Final = 52
_START: Final = datetime(2024, 1, 1, tzinfo=UTC)
COLUMNS: Final = 5
ROWS_PER_DAY: Final = 200
DAY_MEAN_DEVIATION: Final = 0.3
"""Standard deviation of the days' means, in standard deviations of a day's values."""

Numbers = npt.NDArray[np.float64]


class WeeklyChecks(NamedTuple):
    """One kind of stream whose weeks are checked once each."""

    correlation: float
    """Correlation of a day's means with those of the day before."""
    reference_weeks: int


class FrequentChecks(NamedTuple):
    """One kind of stream whose weeks are checked more often than once."""

    correlation: float
    """Correlation of a day's means with those of the day before."""
    checks_per_week: int


WEEKLY_PLAN: Final = CalibrationPlan(
    window=DAYS_PER_WEEK,
    season=DAYS_PER_WEEK,
    windows_per_year=YEAR / (DAYS_PER_WEEK * _DAY),
    false_alarms_per_year=float(DETECTORS),
)
"""Plan in which the columns, one of four detectors, may raise one event a year."""
_REFERENCE_WEEKS: Final = 12
"""Length of the reference if weeks are checked often."""
WEEKLY_CASES: Final = tuple(
    WeeklyChecks(correlation, weeks) for correlation in (0.0, 0.3, 0.5, 0.8) for weeks in (3, 12)
)
FREQUENT_CASES: Final = tuple(
    FrequentChecks(correlation, checks) for correlation in (0.0, 0.5) for checks in (7, 168)
)


def count_weekly_alarms(case: WeeklyChecks, *, years: int, seed: int) -> dict[str, Any]:
    """Simulate years of weeks, each year with a reference of its own, and count alarms.

    `reached` counts weeks in which the PSI of a column reached its threshold, without floor and
    test: the budget bounds this number. `announced` counts weeks with floor and test, `tested`
    those with KS at p < 0.05 in a column. `alpha` is the rate that the columns are allowed.
    """
    found = [_count_year(case, np.random.default_rng([seed, year])) for year in range(years)]
    sums = {key: sum(each[key] for each in found) for key in ("announced", "reached", "tested")}
    return {
        **sums,
        "weeks": years * WEEKS_PER_YEAR,
        "alpha": WEEKLY_PLAN.alpha,
        "threshold": float(np.median([each["threshold"] for each in found])),
    }


def count_frequent_alarms(case: FrequentChecks, *, years: int, seed: int) -> dict[str, Any]:
    """Simulate years of weeks after twelve weeks of reference, and count events of the columns.

    Each hour is counted separately. An event is a check at which a column reached its threshold
    that was not announced within a day before.
    """
    plan = WEEKLY_PLAN.model_copy(
        update={
            "checks_per_window": case.checks_per_week,
            "repeats_per_window": float(DAYS_PER_WEEK),
        }
    )
    step = DAYS_PER_WEEK * HOURS_PER_DAY // case.checks_per_week
    cooldown = HOURS_PER_DAY // step if step < HOURS_PER_DAY else 1
    events, reached, checks = 0, 0, 0
    for year in range(years):
        over = _find_exceedances(case, plan, step, np.random.default_rng([seed, year]))
        reached, checks = reached + int(over.any(axis=1).sum()), checks + len(over)
        events += _count_events(over, cooldown)
    simulated = years * WEEKS_PER_YEAR * DAYS_PER_WEEK * _DAY
    allowed = plan.false_alarms_per_year / DETECTORS * simulated / YEAR
    return {
        "years": years, "allowed": round(allowed, 1), "events": events,
        "reached": reached, "checks": checks,
    }  # fmt: skip


def _find_exceedances(
    case: FrequentChecks, plan: CalibrationPlan, step: int, random: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Return whether each column reached its threshold, with shape (checks, columns)."""
    days = list(_draw_days(WeeklyChecks(case.correlation, _REFERENCE_WEEKS), random))
    first = _REFERENCE_WEEKS * DAYS_PER_WEEK
    reference = _profile(np.concatenate(days[:first]), 0, days=first)
    blocks = [_profile(values, day, like=reference) for day, values in enumerate(days[:first])]
    calibration = calibrate_thresholds(blocks, plan)
    hours = [hour for values in days[first:] for hour in np.array_split(values, HOURS_PER_DAY)]
    later = [_profile(values, index, like=reference) for index, values in enumerate(hours)]
    window = DAYS_PER_WEEK * HOURS_PER_DAY
    reached = []
    reference_counts = collect_bin_counts([reference])
    for name, hourly in collect_bin_counts(later).items():
        before = reference_counts[name]
        sums = np.vstack([np.zeros(hourly.shape[1]), hourly.cumsum(axis=0)])
        now = (sums[window:] - sums[:-window])[::step]
        reached.append(compute_psi_by_window(before, now) >= calibration.thresholds[name])
    return np.column_stack(reached)


def _count_events(over: npt.NDArray[np.bool_], cooldown: int) -> int:
    """Count the checks at which a column exceeds that did not within the cooldown before."""
    events, last = 0, np.full(over.shape[1], -cooldown)
    for check in np.flatnonzero(over.any(axis=1)):
        if (over[check] & (check - last >= cooldown)).any():
            events += 1
            last[over[check]] = check
    return events


def _count_year(case: WeeklyChecks, random: np.random.Generator) -> dict[str, float]:
    days = list(_draw_days(case, random))
    first = case.reference_weeks * DAYS_PER_WEEK
    reference = _profile(np.concatenate(days[:first]), 0, days=first)
    blocks = [_profile(values, day, like=reference) for day, values in enumerate(days)]
    calibration = calibrate_thresholds(blocks[:first], WEEKLY_PLAN)
    announced = reached = tested = 0
    for week in range(WEEKS_PER_YEAR):
        start = first + week * DAYS_PER_WEEK
        current = _merge(blocks[start : start + DAYS_PER_WEEK])
        thresholds = scale_thresholds(calibration, current)
        features = measure_feature_drift(reference, current, thresholds=thresholds)
        announced += any(each.drifted for each in features)
        reached += any(each.psi >= thresholds[each.name] for each in features)
        tested += _is_rejected(days[:first], days[start : start + DAYS_PER_WEEK])
    threshold = float(np.median(list(calibration.thresholds.values())))
    return {
        "announced": announced, "reached": reached, "tested": tested, "threshold": threshold,
    }  # fmt: skip


def _draw_days(case: WeeklyChecks, random: np.random.Generator) -> Iterator[Numbers]:
    """Draw the days of reference and year; their means are an autoregressive series."""
    means = random.normal(0.0, DAY_MEAN_DEVIATION, COLUMNS)
    for _ in range((case.reference_weeks + WEEKS_PER_YEAR) * DAYS_PER_WEEK):
        fresh = random.normal(0.0, DAY_MEAN_DEVIATION, COLUMNS)
        means = case.correlation * means + (1.0 - case.correlation**2) ** 0.5 * fresh
        yield random.normal(means, 1.0, (ROWS_PER_DAY, COLUMNS))


def _is_rejected(reference: Sequence[Numbers], current: Sequence[Numbers]) -> bool:
    """Return whether a KS test of any column says drift at the usual level."""
    before, now = np.concatenate(reference), np.concatenate(current)
    return any(
        stats.ks_2samp(before[:, column], now[:, column], method="asymp").pvalue < RAW_TEST_ALPHA
        for column in range(COLUMNS)
    )


def _profile(
    values: Numbers, day: int, *, days: int = 1, like: WindowProfile | None = None
) -> WindowProfile:
    columns = [Column(name=f"x{number}", kind=FeatureKind.NUMERIC) for number in range(COLUMNS)]
    start = _START + day * _DAY
    return WindowProfile(
        model="simulated",
        window=Window(start=start, end=start + days * _DAY, rows=len(values)),
        columns=tuple(
            profile_numbers(
                values[:, number],
                column,
                rows=len(values),
                like=like.find(column.name) if like else None,
            )
            for number, column in enumerate(columns)
        ),
        newest=start,
    )


def _merge(blocks: Sequence[WindowProfile]) -> WindowProfile:
    merged, *others = blocks
    for each in others:
        merged = merge_windows(merged, each)
    return merged

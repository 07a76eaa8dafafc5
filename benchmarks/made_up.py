"""Years of made-up days without drift, some of which resemble the day before: columns alone."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
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

DAY: Final = timedelta(days=1)
WEEK: Final = 7
YEAR_OF_WEEKS: Final = 52
START: Final = datetime(2024, 1, 1, tzinfo=UTC)
COLUMNS: Final = 5
ROWS: Final = 200
"""A day."""
DAILY: Final = 0.3
"""Standard deviation of the days' means, in that of a day's values."""

Numbers = npt.NDArray[np.float64]


class Case(NamedTuple):
    """One kind of stream."""

    lasting: float
    """Correlation of a day's means with the day before."""
    reference: int
    """Weeks."""


class Often(NamedTuple):
    """One kind of stream whose weeks are looked at more often than once."""

    lasting: float
    """Correlation of a day's means with the day before."""
    looks: int
    """In a week."""


WEEKLY: Final = CalibrationPlan(
    window=WEEK,
    season=WEEK,
    windows_per_year=YEAR / (WEEK * DAY),
    false_alarms_per_year=float(DETECTORS),
)
"""One event a year is the columns'."""
_LONG: Final = 12
"""Weeks of reference where weeks are looked at often."""
OFTEN: Final = tuple(Often(lasting, looks) for lasting in (0.0, 0.5) for looks in (7, 168))
CASES: Final = tuple(Case(lasting, weeks) for lasting in (0.0, 0.3, 0.5, 0.8) for weeks in (3, 12))


def told(case: Case, *, years: int, seed: int) -> dict[str, Any]:
    """So many years of weeks, each year with a reference of its own.

    `reached` are weeks in which a column's index reached its threshold, floor and test left out:
    what the budget bounds; `announced` with both; `tested` those with KS at p < 0.05 in a column;
    `chance` is what the columns are allowed in a week.
    """
    found = [_year(case, np.random.default_rng([seed, year])) for year in range(years)]
    sums = {key: sum(each[key] for each in found) for key in ("announced", "reached", "tested")}
    return {
        **sums,
        "weeks": years * YEAR_OF_WEEKS,
        "chance": WEEKLY.alpha,
        "threshold": float(np.median([each["threshold"] for each in found])),
    }


def told_often(case: Often, *, years: int, seed: int) -> dict[str, Any]:
    """Years of weeks after references of twelve, each hour counted by itself.

    An event is a look at which a column reached its threshold that was not told within a day.
    """
    plan = WEEKLY.model_copy(
        update={"checks_per_window": case.looks, "repeats_per_window": float(WEEK)}
    )
    step, events, reached, looks = WEEK * 24 // case.looks, 0, 0, 0
    for year in range(years):
        over = _looks(case, plan, step, np.random.default_rng([seed, year]))
        reached, looks = reached + int(over.any(axis=1).sum()), looks + len(over)
        events += _events(over, 24 // step if step < 24 else 1)  # noqa: PLR2004 - hours
    allowed = plan.false_alarms_per_year / DETECTORS * years * YEAR_OF_WEEKS * WEEK * DAY / YEAR
    return {
        "years": years, "allowed": round(allowed, 1), "events": events,
        "reached": reached, "looks": looks,
    }  # fmt: skip


def _looks(
    case: Often, plan: CalibrationPlan, step: int, chance: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Whether each column reached its threshold: looks by columns."""
    days = list(_days(Case(case.lasting, _LONG), chance))
    first = _LONG * WEEK
    whole = _profile(np.concatenate(days[:first]), 0, length=first)
    blocks = [_profile(values, place, like=whole) for place, values in enumerate(days[:first])]
    calibration = calibrate_thresholds(blocks, plan)
    parts = [part for values in days[first:] for part in np.array_split(values, 24)]
    later = [_profile(values, place, like=whole) for place, values in enumerate(parts)]
    reached = []
    wholes = collect_bin_counts([whole])
    for name, hourly in collect_bin_counts(later).items():
        before = wholes[name]
        sums = np.vstack([np.zeros(hourly.shape[1]), hourly.cumsum(axis=0)])
        now = (sums[WEEK * 24 :] - sums[: -WEEK * 24])[::step]
        reached.append(compute_psi_by_window(before, now) >= calibration.thresholds[name])
    return np.column_stack(reached)


def _events(over: npt.NDArray[np.bool_], cooldown: int) -> int:
    """Looks that tell something which was not told within so many looks before."""
    events, last = 0, np.full(over.shape[1], -cooldown)
    for place in np.flatnonzero(over.any(axis=1)):
        if (over[place] & (place - last >= cooldown)).any():
            events += 1
            last[over[place]] = place
    return events


def _year(case: Case, chance: np.random.Generator) -> dict[str, float]:
    days = list(_days(case, chance))
    first = case.reference * WEEK
    whole = _profile(np.concatenate(days[:first]), 0, length=first)
    blocks = [_profile(values, place, like=whole) for place, values in enumerate(days)]
    calibration = calibrate_thresholds(blocks[:first], WEEKLY)
    announced = reached = tested = 0
    for week in range(YEAR_OF_WEEKS):
        start = first + week * WEEK
        now = _together(blocks[start : start + WEEK])
        limits = scale_thresholds(calibration, now)
        moved = measure_feature_drift(whole, now, thresholds=limits)
        announced += any(each.drifted for each in moved)
        reached += any(each.psi >= limits[each.name] for each in moved)
        tested += _tested(days[:first], days[start : start + WEEK])
    threshold = float(np.median(list(calibration.thresholds.values())))
    return {
        "announced": announced, "reached": reached, "tested": tested, "threshold": threshold,
    }  # fmt: skip


def _days(case: Case, chance: np.random.Generator) -> Iterator[Numbers]:
    means = chance.normal(0.0, DAILY, COLUMNS)
    for _ in range((case.reference + YEAR_OF_WEEKS) * WEEK):
        fresh = chance.normal(0.0, DAILY, COLUMNS)
        means = case.lasting * means + (1.0 - case.lasting**2) ** 0.5 * fresh
        yield chance.normal(means, 1.0, (ROWS, COLUMNS))


def _tested(reference: Sequence[Numbers], current: Sequence[Numbers]) -> bool:
    before, now = np.concatenate(reference), np.concatenate(current)
    return any(
        stats.ks_2samp(before[:, place], now[:, place], method="asymp").pvalue < 0.05  # noqa: PLR2004 - the usual level
        for place in range(COLUMNS)
    )


def _profile(
    values: Numbers, place: int, *, length: int = 1, like: WindowProfile | None = None
) -> WindowProfile:
    columns = [Column(name=f"x{number}", kind=FeatureKind.NUMERIC) for number in range(COLUMNS)]
    start = START + place * DAY
    return WindowProfile(
        model="made-up",
        window=Window(start=start, end=start + length * DAY, rows=len(values)),
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


def _together(blocks: Sequence[WindowProfile]) -> WindowProfile:
    merged, *others = blocks
    for each in others:
        merged = merge_windows(merged, each)
    return merged

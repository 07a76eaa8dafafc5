"""Years of made-up days without drift, some of which resemble the day before: columns alone."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from contracts.drift import FeatureKind, Window
from detection.calibration import YEAR, Plan, calibrate, thresholds_for
from detection.columns import Column
from detection.counting import count_numbers
from detection.drift import compare
from detection.profile import WindowProfile, merge_windows

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


class Told(NamedTuple):
    """What was told of the weeks of one kind."""

    weeks: int
    announced: int
    """With the calibrated thresholds and the configured floor."""
    reached: int
    """Reached by a column's index, the floor and the test left out: what the budget bounds."""
    tested: int
    """KS at p < 0.05 in a column."""
    chance: float
    """What the columns are allowed in a week."""


CASES: Final = tuple(Case(lasting, weeks) for lasting in (0.0, 0.3, 0.5, 0.8) for weeks in (3, 12))


def told(case: Case, years: int, *, budget: float, seed: int) -> Told:
    """So many years of weeks, each year with a reference of its own."""
    found = [_year(case, budget, np.random.default_rng([seed, year])) for year in range(years)]
    sums = np.sum([each[:4] for each in found], axis=0).tolist()
    return Told._make([*sums, found[0].chance])


def _year(case: Case, budget: float, chance: np.random.Generator) -> Told:
    days = list(_days(case, chance))
    first = case.reference * WEEK
    whole = _profile(np.concatenate(days[:first]), 0, length=first)
    blocks = [_profile(values, place, like=whole) for place, values in enumerate(days)]
    plan = Plan(
        window=WEEK,
        season=WEEK,
        windows_per_year=YEAR / (WEEK * DAY),
        false_alarms_per_year=budget,
    )
    calibration = calibrate(blocks[:first], plan)
    announced = reached = tested = 0
    for week in range(YEAR_OF_WEEKS):
        start = first + week * WEEK
        now = _together(blocks[start : start + WEEK])
        limits = thresholds_for(calibration, now)
        moved = compare(whole, now, thresholds=limits)
        announced += any(each.drifted for each in moved)
        reached += any(each.psi >= limits[each.name] for each in moved)
        tested += _tested(days[:first], days[start : start + WEEK])
    return Told(YEAR_OF_WEEKS, announced, reached, tested, plan.chance)


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
            count_numbers(
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

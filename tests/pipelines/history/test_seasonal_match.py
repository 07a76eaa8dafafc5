"""The same window a season ago, from before the reference."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from tests.detection.windows import make_spec
from trimtab.contracts.window_signals import SeasonalMatch
from trimtab.pipelines.history.profiling import profile_rows
from trimtab.pipelines.history.rows import read_rows
from trimtab.pipelines.history.seasonal_match import measure_seasonal_match
from trimtab.pipelines.history.time_ranges import TimeRange

START = datetime(2024, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
SPEC = make_spec(window=WEEK, minimum_rows=100)


def make_history(weeks: int = 70, *, seasonal: bool) -> pd.DataFrame:
    """Return an hourly history whose price rises by ten in week 14 of the year, or in week 66."""
    random = np.random.default_rng(2)
    hours = np.arange(weeks * 168)
    high = (hours // 168 == 66) | (seasonal & (hours // 168 == 14))
    return pd.DataFrame(
        {
            "at": pd.Timestamp(START) + pd.to_timedelta(hours, unit="h"),
            "price": random.normal(40.0, 4.0, len(hours)) + 10.0 * high,
            "shop": random.choice(["north", "south"], len(hours)),
            "revenue": random.gamma(9.0, 20.0, len(hours)),
        }
    )


def measure(history: pd.DataFrame, *moved: str) -> SeasonalMatch | None:
    first, last = (TimeRange(START + week * WEEK, START + end * WEEK) for week, end in (
        (56, 64), (66, 67),
    ))  # fmt: skip
    reference, current = (read_rows(history, SPEC, each) for each in (first, last))
    profile = profile_rows(reference, SPEC, time_range=first, predictions=reference["revenue"])
    now = profile_rows(current, SPEC, time_range=last, predictions=current["revenue"], like=profile)
    return measure_seasonal_match(history, SPEC, reference=profile, current=now, moved=moved)


def test_a_change_that_recurs_every_year_matches_last_year() -> None:
    history = make_history(seasonal=True)

    match = measure(history, "price")

    assert match is not None
    assert match.period_days == 364
    assert match.reference_psi > 0.5
    assert match.season_psi < 0.2


def test_a_change_that_is_new_matches_no_season() -> None:
    match = measure(make_history(seasonal=False), "price")

    assert match is not None
    assert match.season_psi > 0.5


def test_without_a_moved_column_or_a_longer_history_there_is_no_match() -> None:
    history = make_history(seasonal=True)

    assert measure(history) is None
    assert measure(history[history["at"] >= pd.Timestamp(START + 56 * WEEK)], "price") is None

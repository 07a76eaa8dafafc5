"""Tables with a known world behind them: rows can be drawn, and targets drawn again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from evals.truth import TRUE_TARGET
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import ModelSpec, Task
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.pipelines.history.time_ranges import TimeRange

if TYPE_CHECKING:
    from numpy.random import Generator

FIRST_INSTANT: Final = datetime(2025, 1, 6, tzinfo=UTC)
"""Start of the first reference window, a Monday."""
WATCHED_WINDOWS: Final = 7
SEASON: Final = timedelta(days=84)
"""Period after which the recurring patterns of the tables recur."""


@dataclass(frozen=True, kw_only=True)
class TableWorld:
    """A world that rows come from."""

    spec: ModelSpec
    rows_per_window: int
    draw_features: Callable[["Generator", pd.DatetimeIndex], pd.DataFrame]
    """Return the features of rows at these times."""
    draw_target: Callable[[pd.DataFrame, pd.DataFrame, FloatArray, "Generator"], "pd.Series[Any]"]
    """Return targets for features. The second argument are the same rows with the important column
    mirrored, the third how far each row follows that mirrored relation, 0 to 1."""
    draw_offsets: Callable[["Generator", int], FloatArray] | None = None
    """Return the second of the window of each row; None if they are uniform."""
    important: str
    """Numeric feature that the target depends on most."""
    unimportant: str
    """Numeric feature that the target does not depend on; no categories of it exist."""
    segment_column: str
    """Categorical feature that divides the rows."""
    segment: str
    """Its most frequent category."""

    @property
    def name(self) -> str:
        """Name of the table and of its model."""
        return self.spec.name

    def redraw_target(
        self, rows: pd.DataFrame, weights: FloatArray, rng: "Generator"
    ) -> "pd.Series[Any]":
        """Return new targets of rows that follow the mirrored relation by their weights."""
        column = rows[self.important]
        mirrored = rows.assign(**{self.important: 2.0 * column.median() - column})
        return self.draw_target(rows, mirrored, weights, rng)


@dataclass(frozen=True, kw_only=True)
class CleanTable:
    """Rows of a world in which nothing changes, cut into windows."""

    source: TableWorld
    spec: ModelSpec
    rows: pd.DataFrame
    onset: int

    @property
    def watched(self) -> tuple[TimeRange, ...]:
        """The windows after the reference."""
        first = FIRST_INSTANT + self.spec.reference_windows * self.spec.window
        return tuple(
            TimeRange(first + index * self.spec.window, first + (index + 1) * self.spec.window)
            for index in range(WATCHED_WINDOWS)
        )

    @property
    def reference(self) -> TimeRange:
        """The windows that the first champion learns from."""
        return TimeRange(FIRST_INSTANT, self.watched[0].start)

    @property
    def onset_time(self) -> datetime:
        """First instant that is affected."""
        return self.watched[self.onset].start

    def select(self, windows: int | None = None) -> "pd.Series[bool]":
        """Return which rows lie in the affected windows; all from the onset on by default."""
        times = self.rows[self.spec.timestamp]
        affected = times >= self.onset_time
        if windows is not None:
            affected &= times < self.onset_time + windows * self.spec.window
        return affected

    def with_rows(self, rows: pd.DataFrame) -> "CleanTable":
        """Return the table with other rows, sorted by time."""
        ordered = rows.sort_values(self.spec.timestamp, kind="stable").reset_index(drop=True)
        return replace(self, rows=ordered)


def draw_clean_table(source: TableWorld, *, seed: int, onset: int) -> CleanTable:
    """Return the table of a world for a seed; the same seed gives the same rows."""
    rng = np.random.default_rng([seed, *source.name.encode()])
    windows = source.spec.reference_windows + WATCHED_WINDOWS
    rows = pd.concat(
        [
            draw_window(source, FIRST_INSTANT + index * source.spec.window, rng)
            for index in range(windows)
        ],
        ignore_index=True,
    )
    return CleanTable(source=source, spec=source.spec, rows=rows, onset=onset)


def draw_window(source: TableWorld, start: datetime, rng: "Generator") -> pd.DataFrame:
    """Return the rows of one window, with their true targets."""
    spread = max(1, round(0.03 * source.rows_per_window))
    count = source.rows_per_window + int(rng.integers(-spread, spread + 1))
    draw_offsets = source.draw_offsets or _build_uniform_offsets(source.spec)
    offsets = np.sort(draw_offsets(rng, count))
    times = pd.DatetimeIndex(
        pd.Timestamp(start) + pd.to_timedelta(np.floor(offsets).astype("int64"), unit="s")
    )
    features = source.draw_features(rng, times)
    target = source.draw_target(features, features, np.zeros(count), rng)
    columns: dict[str, Any] = {
        source.spec.timestamp: times,
        source.spec.target: target.to_numpy(),
        TRUE_TARGET: target.to_numpy(),
    }
    return features.assign(**columns)


def _build_uniform_offsets(spec: ModelSpec) -> Callable[["Generator", int], FloatArray]:
    length = spec.window.total_seconds()
    return lambda rng, count: rng.uniform(0.0, length, count)


def list_columns(source: TableWorld, kind: FeatureKind) -> Iterator[str]:
    """Yield the names of the features of a kind."""
    return (feature.name for feature in source.spec.features if feature.kind is kind)


def is_regression(spec: ModelSpec) -> bool:
    """Return whether the target is a number."""
    return spec.task is Task.REGRESSION

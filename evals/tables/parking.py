"""The car parks of Birmingham, cleaned of every change: October's rows, drawn for every window.

A row keeps its place in the week; its count gets a little noise, so that no row comes twice.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from evals.tables.generated import build_spec, categorical, numeric
from evals.tables.table_world import TableWorld
from trimtab.contracts.model import Task
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.runtime.paths import SHIPPED

if TYPE_CHECKING:
    from numpy.random import Generator

_FILE: Final = "data/01_raw/birmingham_parking_2016.csv.gz"
_FIRST_DAY, _DAYS_USED = "2016-10-10", 28
_NOISE_SHARE: Final = 0.02
"""Standard deviation of the noise, as a share of the places."""
_WEEK_SECONDS: Final = 7 * 24 * 3600
_BASE: Final = ("SystemCodeNumber", "Capacity", "Occupancy")


def build_parking() -> TableWorld:
    """Return the car parks."""
    spec = build_spec(
        "parking",
        Task.REGRESSION,
        (categorical("SystemCodeNumber"), numeric("Capacity"), numeric("Gate")),
        target="Occupancy",
        timestamp="LastUpdated",
        time_features=("hour", "weekday"),
        tolerance=0.02,
        minimum_rows=200,
    )
    return TableWorld(
        spec=spec,
        rows_per_window=1000,
        draw_offsets=_draw_offsets,
        draw_features=_draw_rows,
        draw_target=_draw_occupancy,
        important="Capacity",
        unimportant="Gate",
        segment_column="SystemCodeNumber",
        segment=_find_largest_group(),
    )


@cache
def _load_pool() -> pd.DataFrame:
    """Return the clean rows of four October weeks, with their second of the week."""
    table = pd.read_csv(SHIPPED / _FILE)
    times = pd.to_datetime(table["LastUpdated"])
    since = times - pd.Timestamp(_FIRST_DAY)
    inside = (since >= pd.Timedelta(0)) & (since < pd.Timedelta(days=_DAYS_USED))
    clean = table.loc[inside & (table["Occupancy"] >= 0), list(_BASE)].astype(
        {"Capacity": "float64"}
    )
    second = since[clean.index].dt.total_seconds().astype("int64") % _WEEK_SECONDS
    return clean.assign(second=second).sort_values("second").reset_index(drop=True)


def _find_largest_group() -> str:
    return str(_load_pool()["SystemCodeNumber"].value_counts().index[0])


def _draw_offsets(rng: "Generator", count: int) -> FloatArray:
    """Return seconds of the week at which car parks are counted."""
    seconds = rng.choice(_load_pool()["second"].to_numpy(), count)
    return np.asarray((seconds + rng.integers(0, 60, count)) % _WEEK_SECONDS, dtype="float64")


def _draw_rows(rng: "Generator", times: pd.DatetimeIndex) -> pd.DataFrame:
    """Return for each time a row of about the same time of the week."""
    pool = _load_pool()
    start = times[0].normalize() - pd.Timedelta(days=int(times[0].day_of_week))
    wanted = (times - start).total_seconds().to_numpy().astype("int64") % _WEEK_SECONDS
    index = np.searchsorted(pool["second"].to_numpy(), wanted) + rng.integers(-15, 16, len(times))
    chosen = pool.iloc[index.clip(0, len(pool) - 1)].reset_index(drop=True)
    rows = chosen[list(_BASE)].rename(columns={"Occupancy": "__counted"})
    gate = rng.normal(50.0, 10.0, len(times)).round(1)
    return rows.assign(Gate=gate, __places=rows["Capacity"])


def _draw_occupancy(
    rows: pd.DataFrame, _mirrored: pd.DataFrame, weights: FloatArray, rng: "Generator"
) -> "pd.Series[Any]":
    """Return the counts with noise; with weight 1 full car parks are empty and empty ones full."""
    capacity = rows["Capacity"].to_numpy(dtype="float64")
    scale = capacity / rows["__places"].to_numpy(dtype="float64")
    counted = rows["__counted"].to_numpy(dtype="float64") * scale
    changed = counted + weights * (capacity - 2.0 * counted)
    noisy = changed + rng.normal(0.0, _NOISE_SHARE, len(rows)) * capacity
    return pd.Series(noisy.round(1), index=rows.index)

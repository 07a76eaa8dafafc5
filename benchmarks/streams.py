"""Streams of windows for the benchmarks: real ones, and ones without drift by construction."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from compared_tools import ComparedTool, prepare_environment

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Feature, ModelSpec
from trimtab.pipelines.history.time_ranges import TimeRange

WEEK: Final = timedelta(days=7)
START: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""Start of the streams that have no time of their own: a Monday."""
_NANNYML_DATA: Final = ComparedTool(
    name="NannyML's data",
    script="",
    environment="nannyml-data",
    packages=("--no-deps", "nannyml==0.13.1"),
)
_CENSUS_FEATURES: Final = (
    "AGEP", "SCHL", "MAR", "RELP", "DIS", "ESP", "CIT", "MIG", "MIL", "ANC", "NATIVITY",
    "DEAR", "DEYE", "DREM", "SEX", "RAC1P",
)  # fmt: skip


class WindowStream(NamedTuple):
    """A history and its windows; the first `spec.reference_windows` of them are the reference."""

    spec: ModelSpec
    table: pd.DataFrame
    start: datetime
    windows: Sequence[TimeRange]
    """The windows to monitor."""

    def select_rows(self, window: TimeRange) -> pd.DataFrame:
        """Return the rows of one window."""
        times = self.table[self.spec.timestamp]
        return self.table[(times >= window.start) & (times < window.end)]


def build_parking_spec(reference_windows: int) -> ModelSpec:
    """Return the configuration of conf/base/models/birmingham-parking.yml."""
    return ModelSpec.model_validate(
        {
            "name": "birmingham-parking",
            "task": "regression",
            "dataset": "birmingham-parking",
            "target": "Occupancy",
            "target_minimum": 0,
            "timestamp": "LastUpdated",
            "features": [
                {"name": "SystemCodeNumber", "kind": "categorical"},
                {"name": "Capacity", "kind": "numeric", "minimum": 1},
            ],
            "time_features": ["hour", "weekday"],
            "window": WEEK,
            "reference_windows": reference_windows,
            "label_delay": timedelta(0),
            "metric": "r2",
            "false_alarms_per_year": 12,
        }
    )


def build_census_spec(*, window: timedelta, reference_windows: int) -> ModelSpec:
    """Return a model of who is employed, from age and fifteen categories."""
    kinds = {"AGEP": FeatureKind.NUMERIC}
    features = [
        Feature(name=name, kind=kinds.get(name, FeatureKind.CATEGORICAL))
        for name in _CENSUS_FEATURES
    ]
    return ModelSpec.model_validate(
        {
            "name": "census",
            "task": "classification",
            "dataset": "census",
            "target": "employed",
            "timestamp": "at",
            "features": features,
            "window": window,
            "reference_windows": reference_windows,
            "label_delay": timedelta(0),
            "metric": "roc_auc",
        }
    )


def resample_parking(file: Path, *, weeks: int, seed: int, reference: int = 4) -> WindowStream:
    """Build a stream of car parks without drift, from whole days of ordinary weeks.

    Each day is drawn from the days of the same weekday.
    """
    table = pd.read_csv(file).assign(
        LastUpdated=lambda rows: pd.to_datetime(rows["LastUpdated"], utc=True)
    )
    day = table["LastUpdated"].dt.floor("D")
    ordinary = [each for each in sorted(day.unique()) if _is_ordinary(each)]
    by_day = dict(iter(table.groupby(day)))
    random = np.random.default_rng(seed)
    days = []
    for number in range(weeks * 7):
        when = pd.Timestamp(START) + pd.Timedelta(days=number)
        source = random.choice([each for each in ordinary if each.weekday() == when.weekday()])
        rows = by_day[source]
        days.append(rows.assign(LastUpdated=rows["LastUpdated"] + (when - source)))
    spec = build_parking_spec(reference)
    table = pd.concat(days, ignore_index=True)
    return WindowStream(spec, table, START, _list_windows(spec, weeks))


def deal_census(census: pd.DataFrame, *, rows: int, reference: int, seed: int) -> WindowStream:
    """Build a stream of the census without drift: rows of all years, dealt to weeks at random."""
    random = np.random.default_rng(seed)
    table = census.iloc[random.permutation(len(census))].reset_index(drop=True)
    weeks = len(table) // rows
    times = (np.arange(len(table)) + random.random(len(table))) / rows
    at = _add_seconds(START, times * WEEK.total_seconds())
    spec = build_census_spec(window=WEEK, reference_windows=reference)
    return WindowStream(spec, table.assign(at=at), START, _list_windows(spec, weeks))


def split_census_by_year(census: pd.DataFrame, *, shuffled: bool, seed: int) -> WindowStream:
    """Build a stream of the census by its years, or with the years shuffled among the rows.

    The days within a year are random.
    """
    random = np.random.default_rng(seed)
    years = census["year"].to_numpy()
    years = random.permutation(years) if shuffled else years
    start, length = datetime(2015, 1, 1, tzinfo=UTC), timedelta(days=365)
    times = years - start.year + random.random(len(census))
    at = _add_seconds(start, times * length.total_seconds())
    spec = build_census_spec(window=length, reference_windows=1)
    windows = [TimeRange(start + year * length, start + (year + 1) * length) for year in (1, 2, 3)]
    return WindowStream(spec, census.assign(at=at), start, windows)


def read_census(file: Path | None, cache: Path) -> pd.DataFrame:
    """Read the census from a file, or from the data that NannyML's wheel contains."""
    table = pd.read_parquet(file) if file else _read_nannyml_data(cache)
    kept = [*_CENSUS_FEATURES, "employed", "year"]
    texts = [name for name in _CENSUS_FEATURES if name != "AGEP"] + ["employed"]
    return table[kept].astype(dict.fromkeys(texts, "str"))


def _read_nannyml_data(cache: Path) -> pd.DataFrame:
    python = prepare_environment(_NANNYML_DATA, cache)
    (folder,) = python.parents[1].glob("lib/python*/site-packages/nannyml/datasets/data")
    reference, analysis, target = (
        pd.read_parquet(folder / f"employment_MA_{name}.pq")
        for name in ("reference", "analysis", "analysis_target")
    )
    return pd.concat([reference, analysis.merge(target, on="id")], ignore_index=True)


def _is_ordinary(day: pd.Timestamp) -> bool:
    """Return whether the day is neither in half-term nor before Christmas: these do drift."""
    half_term = pd.Timestamp(2016, 10, 25, tz="UTC") <= day < pd.Timestamp(2016, 11, 1, tz="UTC")
    return day < pd.Timestamp(2016, 11, 22, tz="UTC") and not half_term


def _add_seconds(start: datetime, seconds: Any) -> Any:  # noqa: ANN401 - arrays
    """Return the times after whole seconds, because most tables have times to the second."""
    return pd.Timestamp(start) + pd.to_timedelta(np.floor(seconds), unit="s")


def _list_windows(spec: ModelSpec, weeks: int) -> list[TimeRange]:
    return [
        TimeRange(START + week * WEEK, START + (week + 1) * WEEK)
        for week in range(spec.reference_windows, weeks)
    ]

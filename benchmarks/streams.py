"""Streams of windows for the benchmarks: without drift by construction, real, and injected."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from contestants import Contestant, prepared

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Feature, ModelSpec
from trimtab.pipelines.history.time_ranges import TimeRange

WEEK: Final = timedelta(days=7)
MONDAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
_NANNYML: Final = Contestant(
    name="NannyML's data",
    script="",
    environment="nannyml-data",
    packages=("--no-deps", "nannyml==0.13.1"),
)
_CENSUS: Final = (
    "AGEP", "SCHL", "MAR", "RELP", "DIS", "ESP", "CIT", "MIG", "MIL", "ANC", "NATIVITY",
    "DEAR", "DEYE", "DREM", "SEX", "RAC1P",
)  # fmt: skip


class Stream(NamedTuple):
    """A history and its windows; the first `spec.reference_windows` of them are the reference."""

    spec: ModelSpec
    table: pd.DataFrame
    start: datetime
    spans: Sequence[TimeRange]
    """The windows to monitor."""

    def rows(self, span: TimeRange) -> pd.DataFrame:
        """Those of one window."""
        times = self.table[self.spec.timestamp]
        return self.table[(times >= span.start) & (times < span.end)]


def parking_spec(reference_windows: int) -> ModelSpec:
    """As conf/base/models/birmingham-parking.yml has it."""
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


def census_spec(*, window: timedelta, reference_windows: int) -> ModelSpec:
    """Who is employed, from age and fifteen categories."""
    kinds = {"AGEP": FeatureKind.NUMERIC}
    features = [Feature(name=n, kind=kinds.get(n, FeatureKind.CATEGORICAL)) for n in _CENSUS]
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


def resampled_parking(file: Path, *, weeks: int, seed: int, reference: int = 4) -> Stream:
    """Car parks without drift: each day is a whole one of the same weekday, from ordinary weeks."""
    table = pd.read_csv(file).assign(
        LastUpdated=lambda rows: pd.to_datetime(rows["LastUpdated"], utc=True)
    )
    day = table["LastUpdated"].dt.floor("D")
    known = [each for each in sorted(day.unique()) if _ordinary(each)]
    by_day = dict(iter(table.groupby(day)))
    chance = np.random.default_rng(seed)
    parts = []
    for place in range(weeks * 7):
        when = pd.Timestamp(MONDAY) + pd.Timedelta(days=place)
        source = chance.choice([each for each in known if each.weekday() == when.weekday()])
        rows = by_day[source]
        parts.append(rows.assign(LastUpdated=rows["LastUpdated"] + (when - source)))
    spec = parking_spec(reference)
    return Stream(spec, pd.concat(parts, ignore_index=True), MONDAY, _later(spec, weeks))


def dealt_census(census: pd.DataFrame, *, rows: int, reference: int, seed: int) -> Stream:
    """The census without drift: rows of all years, dealt to weeks of so many at random."""
    chance = np.random.default_rng(seed)
    table = census.iloc[chance.permutation(len(census))].reset_index(drop=True)
    weeks = len(table) // rows
    times = (np.arange(len(table)) + chance.random(len(table))) / rows
    at = _instants(MONDAY, times * WEEK.total_seconds())
    spec = census_spec(window=WEEK, reference_windows=reference)
    return Stream(spec, table.assign(at=at), MONDAY, _later(spec, weeks))


def yearly_census(census: pd.DataFrame, *, shuffled: bool, seed: int) -> Stream:
    """The census by its years, or with the years shuffled among rows; days within are random."""
    chance = np.random.default_rng(seed)
    years = census["year"].to_numpy()
    years = chance.permutation(years) if shuffled else years
    start, length = datetime(2015, 1, 1, tzinfo=UTC), timedelta(days=365)
    times = years - start.year + chance.random(len(census))
    at = _instants(start, times * length.total_seconds())
    spec = census_spec(window=length, reference_windows=1)
    spans = [TimeRange(start + year * length, start + (year + 1) * length) for year in (1, 2, 3)]
    return Stream(spec, census.assign(at=at), start, spans)


def read_census(file: Path | None, cache: Path) -> pd.DataFrame:
    """From a file, or else from the data that NannyML's wheel carries."""
    table = pd.read_parquet(file) if file else _from_nannyml(cache)
    kept = [*_CENSUS, "employed", "year"]
    texts = [name for name in _CENSUS if name != "AGEP"] + ["employed"]
    return table[kept].astype(dict.fromkeys(texts, "str"))


def _from_nannyml(cache: Path) -> pd.DataFrame:
    python = prepared(_NANNYML, cache)
    (folder,) = python.parents[1].glob("lib/python*/site-packages/nannyml/datasets/data")
    reference, analysis, target = (
        pd.read_parquet(folder / f"employment_MA_{part}.pq")
        for part in ("reference", "analysis", "analysis_target")
    )
    return pd.concat([reference, analysis.merge(target, on="id")], ignore_index=True)


def _ordinary(day: pd.Timestamp) -> bool:
    """Whether the day is in neither half-term nor the weeks before Christmas: these do drift."""
    half_term = pd.Timestamp(2016, 10, 25, tz="UTC") <= day < pd.Timestamp(2016, 11, 1, tz="UTC")
    return day < pd.Timestamp(2016, 11, 22, tz="UTC") and not half_term


def _instants(start: datetime, seconds: Any) -> Any:  # noqa: ANN401 - arrays
    """To the second, as most tables have them."""
    return pd.Timestamp(start) + pd.to_timedelta(np.floor(seconds), unit="s")


def _later(spec: ModelSpec, weeks: int) -> list[TimeRange]:
    return [
        TimeRange(MONDAY + place * WEEK, MONDAY + (place + 1) * WEEK)
        for place in range(spec.reference_windows, weeks)
    ]

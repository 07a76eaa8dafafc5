"""Rows of machines in regions, hour by hour: normal, heavy-tailed, seasonal and rare values."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from trimtab.contracts.drift import FeatureKind, FeatureRole, QualityFault, Window
from trimtab.contracts.model import Feature, ModelSpec, Task
from trimtab.detection.drift.data_quality import find_window_faults
from trimtab.detection.drift.row_faults import WindowRows, find_row_faults
from trimtab.detection.drift.row_table import (
    RowTable,
    build_row_table,
    cut_into_blocks,
    cut_into_periods,
)
from trimtab.detection.drift.usual_faults import ReferenceRows
from trimtab.detection.profiles.columns import list_monitored_columns
from trimtab.detection.profiles.frames import profile_window
from trimtab.detection.profiles.window_profile import WindowProfile

START = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(days=7)
MACHINES = 12
SPEC = ModelSpec(
    name="machines",
    task=Task.REGRESSION,
    dataset="machines",
    target="output",
    timestamp="at",
    features=(
        *(
            Feature(name=name, kind=FeatureKind.NUMERIC)
            for name in ("speed", "amount", "rain", "temperature", "count")
        ),
        Feature(name="region", kind=FeatureKind.CATEGORICAL),
        Feature(name="machine", kind=FeatureKind.CATEGORICAL),
    ),
    window=WEEK,
    reference_windows=5,
    label_delay=timedelta(0),
    metric="r2",
)


def make_rows(start: datetime = START, weeks: float = 1.0, *, seed: int = 0) -> pd.DataFrame:
    """Return one row an hour of each machine."""
    random = np.random.default_rng(seed)
    hours = int(weeks * 168)
    hour = np.repeat(np.arange(hours), MACHINES)
    machine = np.tile(np.arange(MACHINES), hours)
    day_rain = random.gamma(0.8, 2.0, hours // 24 + 1) * (random.random(hours // 24 + 1) < 0.6)
    wave = np.sin(2 * np.pi * hour / 24)
    frame = pd.DataFrame(
        {
            "at": pd.Timestamp(start) + pd.to_timedelta(hour, unit="h"),
            "machine": np.char.add("m", machine.astype(str)),
            "region": np.array(["north", "south", "east", "west"])[machine % 4],
            "speed": random.normal(50.0 + machine, 5.0),
            "amount": random.lognormal(3.0, 1.2, len(hour)),
            "rain": np.round(day_rain[hour // 24], 1),
            "temperature": 15.0 + 8.0 * wave + random.normal(0.0, 2.0, len(hour)),
            "count": random.poisson(8.0 + 3.0 * wave),
        }
    )
    frame["output"] = 2.0 * frame["speed"] + frame["temperature"] + random.normal(0, 3, len(hour))
    return frame


def profile_rows(frame: pd.DataFrame, start: datetime, weeks: float, like: Any) -> WindowProfile:
    """Return the profile of rows of that time."""
    columns = [
        (column, frame[column.name])
        for column in list_monitored_columns(SPEC)
        if column.role is not FeatureRole.PREDICTION
    ]
    window = Window(start=start, end=start + weeks * WEEK, rows=len(frame))
    newest = start + weeks * WEEK - timedelta(hours=1)
    return profile_window(frame, columns, model="machines", window=window, newest=newest, like=like)


def build_table(frame: pd.DataFrame) -> RowTable:
    """Return the rows as the finders take them."""
    columns = [
        (column, frame[column.name])
        for column in list_monitored_columns(SPEC)
        if column.role is not FeatureRole.PREDICTION
    ]
    return build_row_table(columns, frame["at"])


def build_reference(frame: pd.DataFrame, weeks: float = 5.0) -> ReferenceRows:
    """Return the reference of these rows."""
    table = build_table(frame)
    profile = profile_rows(frame, START, weeks, None)
    return ReferenceRows(profile, table, cut_into_blocks(table, length=WEEK))


REFERENCE = build_reference(make_rows(weeks=5.0, seed=99))
WINDOW_START = START + 5 * WEEK


def find_faults(
    frame: pd.DataFrame, reference: ReferenceRows = REFERENCE
) -> tuple[QualityFault, ...]:
    """Return the faults of a week after the reference."""
    profile = profile_rows(frame, WINDOW_START, 1.0, reference.profile)
    periods = cut_into_periods(WINDOW_START, WINDOW_START + WEEK)
    window = WindowRows(profile, build_table(frame), periods)
    found = find_window_faults(reference.profile, profile, spec=SPEC)
    return find_row_faults(reference, window, found)


def make_week(seed: int = 1) -> pd.DataFrame:
    """Return a clean week after the reference."""
    return make_rows(WINDOW_START, seed=seed)

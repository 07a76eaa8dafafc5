from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.pipelines.conftest import Run
from tests.pipelines.scoring.test_calibration import (
    DAY,
    HOUR,
    START,
    history,
    spec,
    stored,
    version,
)
from trimtab.contracts.fitted import CALIBRATION_FILE, REFERENCE_PROFILE_FILE, ServedModel
from trimtab.contracts.model import ModelSpec, ReferencePeriod
from trimtab.detection.drift.column_drift import measure_feature_drift
from trimtab.pipelines.history.profiling import profile_rows
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.monitoring.reference import (
    WindowReference,
    find_earlier_range,
    find_reference,
)

HOURLY = {"window": HOUR, "reference_windows": 168}


class Steady:
    """A champion that always predicts the same."""

    def predict(self, table: pd.DataFrame) -> Any:
        return np.full(len(table), 180.0)


class Models:
    def __init__(self, champion: ServedModel) -> None:
        self._champion = champion

    def champion(self) -> ServedModel:
        return self._champion

    def version(self, version: str) -> ServedModel:
        return self._champion

    def made_by(self, key: str) -> None:
        return None


def reference(table: pd.DataFrame, configured: ModelSpec, window: TimeRange) -> WindowReference:
    """Return the reference of a window, of a champion trained on one week."""
    first = table[table["at"] < START + 7 * DAY].reset_index(drop=True)
    profile, kept = stored(first, configured, 7)
    champion = version({REFERENCE_PROFILE_FILE: profile.model_dump(mode="json"), **kept})
    served = ServedModel(**{**vars(champion), "load": Steady})
    return find_reference(configured, Models(served), history=table, time_range=window)


def hour(index: int) -> TimeRange:
    return TimeRange(START + index * HOUR, START + (index + 1) * HOUR)


def drifted(table: pd.DataFrame, configured: ModelSpec, window: TimeRange) -> set[str]:
    found = reference(table, configured, window)
    rows = table[(table["at"] >= window.start) & (table["at"] < window.end)].reset_index(drop=True)
    predictions = pd.Series(180.0, index=rows.index)
    current = profile_rows(
        rows, configured, time_range=window, predictions=predictions, like=found.profile
    )
    compared = measure_feature_drift(
        found.profile, current, thresholds=found.compute_thresholds(current)
    )
    return {each.name for each in compared if each.drifted} & {"price", "shop"}


def test_a_window_of_an_hour_is_compared_with_the_same_hour_of_the_training() -> None:
    configured = spec(**HOURLY)
    table = history(8, every=HOUR / 60)

    found = [drifted(table, configured, hour(168 + index)) for index in (0, 6, 12, 18)]

    assert found == [set()] * 4


def test_a_change_in_one_hour_is_found() -> None:
    table = history(8, every=HOUR / 60)
    window = hour(168 + 6)
    inside = (table["at"] >= window.start) & (table["at"] < window.end)
    table.loc[inside, "price"] -= 10.0

    assert drifted(table, spec(**HOURLY), window) == {"price"}


@pytest.mark.parametrize(
    ("period", "back"),
    [(ReferencePeriod.PREVIOUS, HOUR), (ReferencePeriod.SEASON, DAY)],
)
def test_an_earlier_window_is_profiled_from_the_history(
    period: ReferencePeriod, back: timedelta
) -> None:
    configured = spec(**HOURLY, reference=period, season=DAY)

    found = reference(history(8), configured, hour(170))

    assert found.profile.window.start == START + 170 * HOUR - back
    assert found.profile.window.rows == 10
    assert found.uri is None
    assert found.calibration is not None


def test_the_training_period_replaces_an_earlier_window_with_too_few_rows() -> None:
    table = history(8)
    table = table[(table["at"] < START + 168 * HOUR) | (table["at"] >= START + 169 * HOUR)]
    configured = spec(**HOURLY, reference=ReferencePeriod.PREVIOUS)

    found = reference(table.reset_index(drop=True), configured, hour(169))

    assert found.profile.window.start == START
    assert found.uri is not None


def test_a_season_shorter_than_the_window_gives_the_window_before() -> None:
    configured = spec(reference=ReferencePeriod.SEASON, season=DAY)
    week = TimeRange(START + 7 * DAY, START + 14 * DAY)

    assert find_earlier_range(configured, week) == TimeRange(START, START + 7 * DAY)


def test_training_stores_thresholds_that_monitoring_uses(parking: Run) -> None:
    import mlflow  # noqa: PLC0415 - takes seconds

    report = parking("monitoring", start="2016-12-06T00:00:00Z", end="2016-12-13T00:00:00Z")

    finding = report["finding"]
    run, _ = finding["reference_profile_uri"].removeprefix("runs:/").split("/")
    kept = mlflow.artifacts.load_dict(f"runs:/{run}/{CALIBRATION_FILE}")
    (occupancy,) = [each for each in finding["features"] if each["name"] == "Occupancy"]
    assert kept["blocks"] == 21
    assert occupancy["threshold"] == pytest.approx(max(kept["thresholds"]["Occupancy"], 0.2))

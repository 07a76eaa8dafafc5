"""Measures how the metric usually is in short windows, by time of day.

The rows held out at training time are a day or a week. The metric of an hour differs from that of
the whole for reasons of its own: R² is lower if the target varies less. Windows shorter than a week
are therefore compared with the windows that the held-out rows make, at the same time of day.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd
from pydantic import Field, JsonValue

from trimtab.contracts.base import Record
from trimtab.contracts.drift import PerformanceChange
from trimtab.contracts.fitted import BASELINE_WINDOWS_FILE, ServedModel
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.detection.calibration.seasonality import DAY, WEEK
from trimtab.detection.drift.standard_errors import is_significant_loss
from trimtab.detection.performance.concept_drift import compute_concept_loss
from trimtab.detection.performance.performance_impact import PerformanceImpact
from trimtab.pipelines.scoring.metrics import score_model
from trimtab.pipelines.scoring.performance_estimation import EstimationArtifacts
from trimtab.pipelines.scoring.performance_impact import PredictedWindow, estimate_performance
from trimtab.pipelines.scoring.predictions import Predictor, predict_targets
from trimtab.pipelines.scoring.realised_performance import MIN_LABELLED_ROWS

MIN_BASELINE_WINDOWS: Final = 5
"""Held-out windows that a baseline needs."""
MAX_BASELINE_WINDOWS: Final = 336
"""Held-out windows that are measured at most, the newest ones: two weeks of hours."""
_Content = TypeVar("_Content")


class WindowBaseline(Record):
    """A metric in short windows."""

    means: dict[int, float]
    """Mean over the windows at each time of day, which is counted in windows from midnight UTC."""
    spread: float = Field(ge=0.0)
    """Standard deviation of a window's value from that mean, with the uncertainty of few windows
    included."""


class WindowBaselines(Record):
    """The metrics that short windows are compared with; None if unknown."""

    realised: WindowBaseline | None = None
    estimated: WindowBaseline | None = None


def measure_baseline_windows(
    model: Predictor, held_out: pd.DataFrame, spec: ModelSpec, estimation: EstimationArtifacts
) -> dict[str, dict[str, JsonValue]]:
    """Return the artifact, content by file name; empty if windows are a week or longer.

    `held_out` are clean rows that the model has not learned from.
    """
    if spec.window >= WEEK:
        return {}
    served = _build_served_model(model, estimation)
    realised, estimated = list[tuple[int, float]](), list[tuple[int, float]]()
    window = (held_out[spec.timestamp] - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(spec.window)
    for _, group in list(held_out.groupby(window))[-MAX_BASELINE_WINDOWS:]:
        if len(group) < max(spec.minimum_rows, MIN_LABELLED_ROWS):
            continue
        time_of_day = _find_time_of_day(group[spec.timestamp].iloc[0], spec.window)
        rows = group.reset_index(drop=True)
        if (value := score_model(model, rows, spec).value) is not None:
            realised.append((time_of_day, value))
        predictions = predict_targets(model, rows, spec)
        predicted = PredictedWindow(rows, predictions, pd.Series(data=True, index=rows.index))
        if (estimate := estimate_performance(predicted, spec, served)) is not None:
            estimated.append((time_of_day, estimate.estimated))
    baselines = WindowBaselines(
        realised=_build_baseline(realised), estimated=_build_baseline(estimated)
    )
    return {BASELINE_WINDOWS_FILE: baselines.model_dump(mode="json")}


def load_window_baselines(champion: ServedModel) -> WindowBaselines:
    """Return the baselines stored with the version; unknown ones if there are none."""
    try:
        return WindowBaselines.model_validate(champion.artifact(BASELINE_WINDOWS_FILE))
    except Refused:
        return WindowBaselines()


def compare_realised_with_baseline(
    change: PerformanceChange | None,
    spec: ModelSpec,
    baseline: WindowBaseline | None,
    *,
    start: datetime,
    alpha: float | None,
) -> PerformanceChange | None:
    """Compare the realised metric with the baseline at that time of day, if both are known."""
    if change is None or baseline is None:
        return change
    compared = _compare_with_baseline(change.current, spec, baseline, start, alpha)
    lost = compared["reference"] - change.current > spec.tolerance
    figures = {"spread": baseline.spread, "windows": int(lost)}
    return change.model_copy(update={**compared, **figures})


def compare_impact_with_baseline(
    impact: PerformanceImpact,
    spec: ModelSpec,
    baselines: WindowBaselines,
    *,
    performance: PerformanceChange | None,
    start: datetime,
    alpha: float | None,
) -> PerformanceImpact:
    """Compare the estimated metric with the baseline at that time of day, if both are known.

    `performance` is the realised metric, compared with its baseline.
    """
    baseline = baselines.estimated
    if impact.estimate is None or baseline is None:
        return impact
    compared = _compare_with_baseline(impact.estimate.estimated, spec, baseline, start, alpha)
    estimate = impact.estimate.model_copy(update=compared)
    error = baselines.realised.spread if baselines.realised else None
    unexplained = compute_concept_loss(
        performance, estimate, error=error, alpha=alpha, support=impact.support
    )
    concept_loss = None if impact.concept_loss is None else unexplained
    return impact.model_copy(update={"estimate": estimate, "concept_loss": concept_loss})


def _compare_with_baseline(
    value: float,
    spec: ModelSpec,
    baseline: WindowBaseline,
    start: datetime,
    alpha: float | None,
) -> dict[str, Any]:
    """Return the fields of a performance change or estimate that the baseline replaces."""
    time_of_day = _find_time_of_day(start, spec.window)
    overall_mean = float(np.mean(list(baseline.means.values())))
    reference = baseline.means.get(time_of_day, overall_mean)
    loss = reference - value
    significant = is_significant_loss(loss, baseline.spread, alpha=alpha)
    return {
        "reference": reference,
        "error": baseline.spread,
        "degraded": loss > spec.tolerance and significant,
    }


def _build_baseline(measured: list[tuple[int, float]]) -> WindowBaseline | None:
    """Return the baseline of windows given as time of day and value; None if they are too few."""
    if len(measured) < MIN_BASELINE_WINDOWS:
        return None
    times = pd.Series([time_of_day for time_of_day, _ in measured])
    values = pd.Series([value for _, value in measured])
    means = values.groupby(times).transform("mean")
    freedom = len(values) - times.nunique()
    if freedom < MIN_BASELINE_WINDOWS - 1:  # about one window a time of day: pool all of them
        times, freedom = times * 0, len(values) - 1
        means = pd.Series(values.mean(), values.index)
    squares = float(((values - means) ** 2).sum())
    spread = math.sqrt(squares / (freedom - 2))  # the spread of a Student's t
    by_time = values.groupby(times).mean()
    windows_per_time = len(values) / times.nunique()
    return WindowBaseline(
        means=dict(zip(by_time.index.tolist(), by_time.tolist(), strict=True)),
        spread=spread * math.sqrt(1.0 + 1.0 / windows_per_time),
    )


def _find_time_of_day(when: datetime, window: timedelta) -> int:
    """Return the number of windows since midnight UTC; 0 for windows of a day or longer."""
    when = when.astimezone(UTC)
    midnight = when.replace(hour=0, minute=0, second=0, microsecond=0)
    return int((when - midnight) // window) if window < DAY else 0


def _build_served_model(model: Predictor, estimation: EstimationArtifacts) -> ServedModel:
    """Return the model that has not learned from the held-out rows, as if it were registered."""
    return ServedModel(
        version="0",
        run_id="",
        metrics={},
        tags={},
        load=lambda: model,
        artifact=_build_loader(estimation.artifacts),
        companion=_build_loader(estimation.companions),
    )


def _build_loader(stored: Mapping[str, _Content]) -> Callable[[str], _Content]:
    """Return a function that looks up a file name, and raises `Refused` if it is not stored."""

    def load(name: str) -> _Content:
        if name not in stored:
            msg = f"{name} is not stored"
            raise Refused(msg)
        return stored[name]

    return load

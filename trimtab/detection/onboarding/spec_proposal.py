"""Puts a model's first configuration together from what was found in its table."""

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pandas as pd

from trimtab.contracts.model import Feature, ModelSpec
from trimtab.detection.onboarding.feature_proposal import ColumnProposal
from trimtab.detection.onboarding.monitoring_settings import (
    choose_cooldown,
    choose_false_alarm_budget,
    choose_season,
    choose_segments,
)
from trimtab.detection.onboarding.predictions import are_probabilities
from trimtab.detection.onboarding.proposal import InspectionRequest
from trimtab.detection.onboarding.targets import TargetProposal
from trimtab.detection.onboarding.window_choice import WindowChoice

_MIN_TOLERANCE: Final = 0.02
_MAX_TOLERANCE: Final = 0.2
_LEAST_MINIMUM_ROWS: Final = 10
_MOST_MINIMUM_ROWS: Final = 200
_MAX_TRIVIAL_HOURS: Final = 2
"""Distinct hours, or weekdays, up to which they are no feature."""
_DAY, _WEEK, _YEAR = timedelta(days=1), timedelta(days=7), timedelta(days=365)


def propose_spec(
    request: InspectionRequest,
    *,
    target: TargetProposal,
    windows: WindowChoice,
    columns: tuple[ColumnProposal, ...],
    times: pd.Series,
) -> ModelSpec:
    """Return the configuration of what the model is: its data, its windows and its metric."""
    noise = math.ceil(100 / math.sqrt(max(windows.typical_rows, 1))) / 100
    tolerance = min(max(_MIN_TOLERANCE, noise), _MAX_TOLERANCE)
    half_a_window = max(_LEAST_MINIMUM_ROWS, windows.typical_rows // 2)
    return ModelSpec(
        name=request.name,
        task=target.task,
        dataset=request.dataset,
        target=request.target,
        target_minimum=target.minimum,
        timestamp=request.timestamp,
        features=tuple(
            Feature(name=each.name, kind=each.kind, minimum=each.minimum, maximum=each.maximum)
            for each in columns
            if each.kind
        ),
        time_features=tuple(_list_time_features(times, windows)),
        ignored={each.name: each.reason for each in columns if not each.kind},
        start=windows.start or (times.min().normalize() if request.since else None),
        window=windows.window,
        reference_windows=windows.reference,
        label_delay=timedelta(0),
        metric=target.metric,
        tolerance=tolerance,
        minimum_rows=min(_MOST_MINIMUM_ROWS, half_a_window),
        promotion_margin=round(tolerance / 4, 4),
    )


def add_monitoring_settings(
    spec: ModelSpec, rows: pd.DataFrame, prediction: ColumnProposal | None, *, typical_rows: int
) -> ModelSpec:
    """Return the configuration with how closely the model is monitored."""
    settings: dict[str, Any] = {
        "prediction": prediction.name if prediction else None,
        "segments": choose_segments(rows, spec, typical_rows=typical_rows),
        "season": choose_season(spec.window),
        "false_alarms_per_year": choose_false_alarm_budget(spec.window),
        "announcement_cooldown": choose_cooldown(spec.window),
    }
    logs_classes = prediction and not are_probabilities(rows[prediction.name].dropna())
    if spec.metric == "roc_auc" and logs_classes:
        settings["metric"] = "balanced_accuracy"  # logged classes have no order
    return spec.model_copy(update=settings)


def _list_time_features(times: pd.Series, windows: WindowChoice) -> Iterator[str]:
    """Yield what recurs within the reference, so that it can be learnt there."""
    reference = windows.reference * windows.window
    if reference >= _DAY and times.dt.hour.nunique() > _MAX_TRIVIAL_HOURS:
        yield "hour"
    weekdays = times.dt.day_of_week
    if reference >= _WEEK and not windows.period and weekdays.nunique() > _MAX_TRIVIAL_HOURS:
        yield "weekday"
    if reference >= _YEAR and windows.period != "year":
        yield "month"

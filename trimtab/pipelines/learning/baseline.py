"""Measures what monitoring needs of a version that was made elsewhere, on the reference windows.

Versions made by Trimtab carry it from their training. A version that was registered by other means
gets it when it is first monitored, and again when its configuration changes.
"""

from typing import Final

import pandas as pd
from pydantic import JsonValue

from trimtab.contracts.base import compute_digest
from trimtab.contracts.fitted import (
    RECORDED_CLASSES_FILE,
    REFERENCE_PROFILE_FILE,
    REFERENCE_ROWS_FILE,
    SEGMENTS_FILE,
    Baseline,
    ServedModel,
    ServedModels,
    spread_name,
    standard_error_name,
)
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.detection.onboarding.predictions import LoggedPredictions, are_probabilities
from trimtab.pipelines.history.profiling import profile_rows
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.rows import (
    cast_targets,
    find_first_window_start,
    keep_valid_targets,
    read_rows,
)
from trimtab.pipelines.history.time_ranges import TimeRange, compute_reference_range
from trimtab.pipelines.learning.forward_folds import summarise_folds
from trimtab.pipelines.learning.model_fitting import MIN_TRAINING_ROWS, measure_segments
from trimtab.pipelines.scoring.baseline_windows import measure_baseline_windows
from trimtab.pipelines.scoring.calibration import calibrate_reference
from trimtab.pipelines.scoring.learnability import measure_reference_learnability
from trimtab.pipelines.scoring.metrics import score_labelled_rows, score_model
from trimtab.pipelines.scoring.performance_estimation import (
    prepare_estimation,
    sample_reference_rows,
)
from trimtab.pipelines.scoring.predictions import (
    BINARY_CLASS_COUNT,
    Predictor,
    predict_outputs,
)

BASELINE_SEED: Final = 0
_BASELINE_SETTINGS: Final = {
    "task", "dataset", "target", "target_minimum", "target_maximum", "prediction", "timestamp",
    "features", "time_features", "start", "window", "reference_windows", "metric", "segments",
    "sensitivity", "reference", "season", "minimum_rows", "false_alarms_per_year",
    "dependence", "monitored_every", "announcement_cooldown",
}  # fmt: skip
"""Settings of a model on which its baseline depends."""


def establish_baseline(
    history: HistoryTable, spec: ModelSpec, models: ServedModels
) -> Baseline | ServedModel:
    """Return the champion's baseline if it lacks one, else the champion as it is.

    Raises `Refused` if the reference windows hold too few rows to measure on.
    """
    champion = models.champion()
    key = compute_baseline_key(spec, champion)
    if not champion.foreign or champion.baseline == key:
        return champion
    reference = compute_reference_range(spec, find_first_window_start(history, spec))
    rows = read_rows(history, spec, reference)
    return measure_baseline(rows, spec, champion, time_range=reference)


def compute_baseline_key(spec: ModelSpec, champion: ServedModel) -> str:
    """Return a digest of the version and of the settings on which its baseline depends."""
    return compute_digest(
        [champion.version, spec.model_dump(mode="json", include=_BASELINE_SETTINGS)]
    )


def measure_baseline(
    rows: pd.DataFrame, spec: ModelSpec, champion: ServedModel, *, time_range: TimeRange
) -> Baseline:
    """Ask the champion about the rows of the time range, and measure its answers.

    Raises `Refused` if there are too few labelled rows.
    """
    model, logged = _choose_predictor(champion, rows, spec)
    clean = keep_valid_targets(rows, spec)
    score = score_model(model, clean, spec)
    if score.value is None or score.rows < MIN_TRAINING_ROWS:
        msg = (
            f"version {champion.version} of {spec.name!r} was made elsewhere, and {score.rows}"
            f" labelled rows between {time_range.start} and {time_range.end} are too few to"
            f" measure its {spec.metric} on: check start, window and reference_windows"
        )
        raise Refused(msg)
    predictions = predict_outputs(model, rows, spec)
    profile = profile_rows(rows, spec, time_range=time_range, predictions=predictions)
    estimation = prepare_estimation(model, clean, spec, seed=BASELINE_SEED)
    metrics = {
        spec.metric: score.value,
        standard_error_name(spec.metric): score.error,
        spread_name(spec.metric): _measure_spread(model, clean, spec, time_range),
        "rows": len(clean),
    }
    return Baseline(
        version=champion.version,
        key=compute_baseline_key(spec, champion),
        metrics={name: float(value) for name, value in metrics.items() if value is not None},
        artifacts={
            REFERENCE_PROFILE_FILE: profile.model_dump(mode="json"),
            SEGMENTS_FILE: dict(measure_segments(model, clean, spec)),
            **calibrate_reference(rows, spec, predictions=predictions, profile=profile),
            **measure_reference_learnability(clean, spec, time_range),
            **logged,
            **estimation.artifacts,
            **measure_baseline_windows(model, clean, spec, estimation),
        },
        frames={REFERENCE_ROWS_FILE: sample_reference_rows(rows, spec, seed=BASELINE_SEED)},
        companions=estimation.companions,
    )


def _measure_spread(
    model: Predictor, clean: pd.DataFrame, spec: ModelSpec, time_range: TimeRange
) -> float | None:
    """Return the standard deviation of the metric between windows; None if there is only one."""
    times, windows = clean[spec.timestamp], list[TimeRange]()
    while len(windows) < spec.reference_windows:
        start = windows[-1].end if windows else time_range.start
        windows.append(TimeRange(start, start + spec.window))
    inside = [clean[(times >= start) & (times < end)] for start, end in windows]
    scores = [score_labelled_rows(model, rows, spec) for rows in inside if len(rows)]
    return summarise_folds(scores).spread


def _choose_predictor(
    champion: ServedModel, rows: pd.DataFrame, spec: ModelSpec
) -> tuple[Predictor, dict[str, dict[str, JsonValue]]]:
    """Return the model, or its logged predictions, with artifacts to store.

    An artifact says which two classes logged probabilities are of.
    """
    model = champion.load()
    if not isinstance(model, LoggedPredictions):
        return model, {}
    if model.column not in rows:
        msg = f"prediction = {model.column!r}: the dataset {spec.dataset!r} has no such column"
        raise Refused(msg)
    probabilities = are_probabilities(rows[model.column].dropna())
    classes = tuple(sorted(cast_targets(rows, spec).dropna().unique())) if probabilities else ()
    if spec.task is Task.REGRESSION or len(classes) != BINARY_CLASS_COUNT:
        return LoggedPredictions(model.column, model.task), {}
    return LoggedPredictions(model.column, model.task, classes), {
        RECORDED_CLASSES_FILE: {"classes": list(classes)}
    }

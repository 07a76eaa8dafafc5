"""What monitoring needs of a version that was made elsewhere: measured on the reference windows.

Our own versions carry it from their training. A version that somebody registered by other means
gets it when it is first looked at, and again when its configuration changes.
"""

from typing import Any, Final

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
    standard_error_name,
)
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.detection.onboarding.predictions import Recorded, are_chances
from trimtab.pipelines.history.profiling import profile_rows
from trimtab.pipelines.history.remote import History
from trimtab.pipelines.history.rows import Table, clean, first_window_start, rows_between, targets
from trimtab.pipelines.history.time_ranges import Span, reference_span
from trimtab.pipelines.learning.model_fitting import FEWEST_ROWS, segment_metrics
from trimtab.pipelines.scoring import estimator
from trimtab.pipelines.scoring.baseline_windows import usual_metrics
from trimtab.pipelines.scoring.calibration import calibrate_reference
from trimtab.pipelines.scoring.performance_estimation import foresee, reference_rows

SEED: Final = 0
_TWO: Final = 2
_MEASURED_UNDER: Final = {
    "task", "dataset", "target", "target_minimum", "target_maximum", "prediction", "timestamp",
    "features", "time_features", "start", "window", "reference_windows", "metric", "segments",
    "sensitivity", "reference", "season", "minimum_rows", "false_alarms_per_year",
    "dependence", "monitored_every", "announcement_cooldown",
}  # fmt: skip
"""Parts of a configuration that a baseline hangs on."""


def establish_baseline(
    history: History, spec: ModelSpec, models: ServedModels
) -> Baseline | ServedModel:
    """The champion's baseline where it lacks one; else the champion, which stays as it is.

    Raises `Refused` where the reference windows hold too few rows to measure on.
    """
    champion = models.champion()
    key = baseline_key(spec, champion)
    if not champion.foreign or champion.baseline == key:
        return champion
    span = reference_span(spec, first_window_start(history, spec))
    rows = rows_between(history, spec, span)
    return measure_baseline(rows, spec, champion, span=span)


def baseline_key(spec: ModelSpec, champion: ServedModel) -> str:
    """Digest of the version and of what it is measured under."""
    return compute_digest([champion.version, spec.model_dump(mode="json", include=_MEASURED_UNDER)])


def measure_baseline(
    rows: Table, spec: ModelSpec, champion: ServedModel, *, span: Span
) -> Baseline:
    """Ask the champion about the span's rows, and keep what it says of them."""
    model, recorded = _answering(champion, rows, spec)
    good = clean(rows, spec)
    score = estimator.score(model, good, spec)
    if score.value is None or score.rows < FEWEST_ROWS:
        msg = (
            f"version {champion.version} of {spec.name!r} was made elsewhere, and {score.rows}"
            f" labelled rows between {span.start} and {span.end} are too few to measure its"
            f" {spec.metric} on: check start, window and reference_windows"
        )
        raise Refused(msg)
    predictions = estimator.outputs(model, rows, spec)
    profile = profile_rows(rows, spec, span=span, predictions=predictions)
    foresight = foresee(model, good, spec, seed=SEED)
    metrics = {
        spec.metric: score.value,
        standard_error_name(spec.metric): score.error,
        "rows": len(good),
    }
    return Baseline(
        version=champion.version,
        key=baseline_key(spec, champion),
        metrics={name: float(value) for name, value in metrics.items() if value is not None},
        artifacts={
            REFERENCE_PROFILE_FILE: profile.model_dump(mode="json"),
            SEGMENTS_FILE: dict(segment_metrics(model, good, spec)),
            **calibrate_reference(rows, spec, predictions=predictions, profile=profile),
            **recorded,
            **foresight.artifacts,
            **usual_metrics(model, good, spec, foresight),
        },
        frames={REFERENCE_ROWS_FILE: reference_rows(rows, spec, seed=SEED)},
        companions=foresight.companions,
    )


def _answering(
    champion: ServedModel, rows: Table, spec: ModelSpec
) -> tuple[Any, dict[str, dict[str, JsonValue]]]:
    """The model, or what was recorded of it with the classes that its chances speak of."""
    model = champion.load()
    if not isinstance(model, Recorded):
        return model, {}
    if model.column not in rows:
        msg = f"prediction = {model.column!r}: the dataset {spec.dataset!r} has no such column"
        raise Refused(msg)
    chances = are_chances(rows[model.column].dropna())
    classes = tuple(sorted(targets(rows, spec).dropna().unique())) if chances else ()
    if spec.task is Task.REGRESSION or len(classes) != _TWO:
        return Recorded(model.column, model.task), {}
    return Recorded(model.column, model.task, classes), {
        RECORDED_CLASSES_FILE: {"classes": list(classes)}
    }

"""Measures how well a window can be learnt from its own rows, by cross-validation in time.

A changed world can be learnt from the rows that it changed in; labels that are broken cannot.
"""

from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic import Field, JsonValue

from trimtab.contracts.base import Count, Name, Record
from trimtab.contracts.fitted import LEARNABILITY_FILE, ServedModel
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.contracts.window_signals import Learnability
from trimtab.detection.drift.domain_classifier import sample_frame
from trimtab.detection.performance.skill_floor import compute_trivial_metric
from trimtab.detection.profiles.arrays import IntArray
from trimtab.pipelines.history.rows import cast_targets, keep_valid_targets
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.scoring.estimator import fit_estimator
from trimtab.pipelines.scoring.metrics import (
    MetricScore,
    has_enough_classes,
    score_outputs,
)
from trimtab.pipelines.scoring.predictions import predict_outputs

LEARNABILITY_FOLDS: Final = 3
"""Stretches of time that a window is cut into; each is predicted by a model of the others."""
MAX_LEARNABILITY_ROWS: Final = 2_000
"""Rows of a window that are learnt from at most, a random sample of more."""
MIN_LEARNABILITY_ROWS: Final = 100
"""Labelled rows below which learnability is not measured."""
MAX_REFERENCE_WINDOWS: Final = 3
"""Windows of the training rows that are measured at most, the newest ones."""
_TIMES_PER_FOLD: Final = 3
"""Different times a fold needs on average for the rows to be cut by time."""


class LearnabilityReference(Record):
    """Learnability of windows of a version's training rows."""

    metric: Name
    value: float
    """Median of the windows."""
    error: float | None = Field(default=None, ge=0.0)
    """Median of their standard errors."""
    windows: Count
    rows: Count
    """Labelled rows of a window, the median."""


def measure_learnability(
    rows: pd.DataFrame, spec: ModelSpec, champion: ServedModel
) -> Learnability | None:
    """Return the window's learnability beside the reference's; None if its rows are too few."""
    score = cross_validate_rows(rows, spec)
    if score is None or score.value is None:
        return None
    classes = cast_targets(keep_valid_targets(rows, spec), spec).nunique()
    return Learnability(
        value=score.value,
        error=score.error,
        reference=load_reference_learnability(champion, spec),
        trivial=compute_trivial_metric(spec.metric, classes=classes),
        rows=score.rows,
    )


def load_reference_learnability(champion: ServedModel, spec: ModelSpec) -> float | None:
    """Return the learnability stored with the version; None if none is, as for versions of old."""
    try:
        stored = LearnabilityReference.model_validate(champion.artifact(LEARNABILITY_FILE))
    except Refused:
        return None
    return stored.value if stored.metric == spec.metric else None


def measure_reference_learnability(
    clean: pd.DataFrame, spec: ModelSpec, time_range: TimeRange
) -> dict[str, dict[str, JsonValue]]:
    """Return the artifact, content by file name, of windows at the end of the training rows."""
    times, scores = clean[spec.timestamp], list[MetricScore]()
    end = time_range.end
    while end > time_range.start and len(scores) < MAX_REFERENCE_WINDOWS:
        start = max(end - spec.window, time_range.start)
        score = cross_validate_rows(clean[(times >= start) & (times < end)], spec)
        scores += [score] if score and score.value is not None else []
        end = start
    values = [score.value for score in scores if score.value is not None]
    if not values:
        return {}
    errors = [score.error for score in scores if score.error is not None]
    reference = LearnabilityReference(
        metric=spec.metric,
        value=float(np.median(values)),
        error=float(np.median(errors)) if errors else None,
        windows=len(values),
        rows=int(np.median([score.rows for score in scores])),
    )
    return {LEARNABILITY_FILE: reference.model_dump(mode="json")}


def cross_validate_rows(
    rows: pd.DataFrame, spec: ModelSpec, *, seed: int = 0
) -> MetricScore | None:
    """Return the metric of models of the clean rows on other clean rows; None if too few."""
    clean = keep_valid_targets(rows, spec).sort_values(spec.timestamp, kind="stable")
    sample = sample_frame(clean, MAX_LEARNABILITY_ROWS, seed=seed).reset_index(drop=True)
    if len(sample) < MIN_LEARNABILITY_ROWS or not has_enough_classes(sample, spec):
        return None
    folds, outputs = _assign_folds(sample, spec, seed=seed), list["pd.Series[Any]"]()
    for fold in range(LEARNABILITY_FOLDS):
        try:
            model = fit_estimator(sample[folds != fold], spec, seed=seed)
            outputs.append(predict_outputs(model, sample[folds == fold], spec))
        except (Refused, ValueError):
            return None  # a fold without rows, or the others are of one class
    names = {each.name for each in outputs}
    if len(names) > 1:
        return None  # folds with other classes
    return score_outputs(sample, pd.concat(outputs).sort_index().rename(names.pop()), spec)


def _assign_folds(sample: pd.DataFrame, spec: ModelSpec, *, seed: int) -> IntArray:
    """Return the fold of each row: stretches of time, or drawn if too few times are different."""
    blocks = np.arange(len(sample)) * LEARNABILITY_FOLDS // len(sample)
    by_time = sample[spec.timestamp].nunique() >= _TIMES_PER_FOLD * LEARNABILITY_FOLDS
    if spec.task is Task.CLASSIFICATION and by_time:
        targets = cast_targets(sample, spec)
        by_time = bool((targets.groupby(blocks).nunique() == targets.nunique()).all())
    return blocks if by_time else np.random.default_rng(seed).permutation(blocks)

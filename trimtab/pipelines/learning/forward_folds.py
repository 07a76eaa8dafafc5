"""Measures a model's metric on several windows of its training range, each from earlier rows.

One held-out window may be unusually easy or hard. Folds that are chained forward in time show the
usual level of the metric and how much it differs between windows without any drift.
"""

import math
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from trimtab.contracts.fitted import spread_name, standard_error_name
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.detection.drift.domain_classifier import sample_frame
from trimtab.pipelines.history.time_ranges import TimeRange, find_holdout_start
from trimtab.pipelines.scoring.estimator import fit_estimator
from trimtab.pipelines.scoring.metrics import MetricScore, has_enough_classes, score_model

MAX_FOLDS: Final = 4
"""Periods at the end of the training range that are held out one after the other."""
MIN_LEARNED_SHARE: Final = 0.5
"""Share of the training range that precedes the first fold at least: on the car parks, R² is 0.94
after two weeks of learning, and 0.74 after one, which says nothing about windows."""
MIN_FOLD_TRAINING_ROWS: Final = 100
MAX_FOLD_TRAINING_ROWS: Final = 100_000
"""Rows that each fold learns from at most, a random sample of more."""
MIN_FOLDS_FOR_MEDIAN: Final = 3
"""Folds from which the median is the reference; of fewer it is the newest, which knows most."""
PRIOR_FOLDS: Final = 3.0
"""Folds that the sampling error counts as where the spread is computed from a few folds (a
moderated variance: Smyth, 2004)."""


class FoldSummary(NamedTuple):
    """The metric over the folds."""

    value: float | None
    error: float | None
    """Standard error of one fold's value: of the same fold as the level, or the median."""
    spread: float | None
    """Standard deviation between folds; None if there is only one."""


def measure_earlier_folds(
    clean: pd.DataFrame, spec: ModelSpec, time_range: TimeRange, *, seed: int
) -> list[MetricScore]:
    """Return the metric of each fold before the last one, which the caller holds out, oldest first.

    Folds in which the metric is undefined, or which have too few rows, are left out.
    """
    times, scores = clean[spec.timestamp], list[MetricScore]()
    for fold in list_earlier_folds(spec, time_range):
        before, inside = (
            clean[times < fold.start],
            clean[(times >= fold.start) & (times < fold.end)],
        )
        if len(before) < MIN_FOLD_TRAINING_ROWS or not has_enough_classes(inside, spec):
            continue
        learned = sample_frame(before, MAX_FOLD_TRAINING_ROWS, seed=seed)
        try:
            score = score_model(fit_estimator(learned, spec, seed=seed), inside, spec)
        except (Refused, ValueError):
            continue  # one class only
        scores += [score] if score.value is not None else []
    return scores


def list_earlier_folds(spec: ModelSpec, time_range: TimeRange) -> list[TimeRange]:
    """Return the periods before the held-out one, oldest first, as long as that one.

    There is none if that one is shorter than a window, which differs less from others.
    """
    end = find_holdout_start(spec, time_range)
    period = time_range.end - end
    if period < spec.window:
        return []
    earliest: datetime = time_range.start + MIN_LEARNED_SHARE * (time_range.end - time_range.start)
    ends = [end - index * period for index in range(MAX_FOLDS - 1)]
    folds = [TimeRange(each - period, each) for each in ends if each - period >= earliest]
    return folds[::-1]


def summarise_folds(scores: list[MetricScore]) -> FoldSummary:
    """Return level, error and spread of the metric over the folds, which are oldest first."""
    values = [score.value for score in scores if score.value is not None]
    errors = [score.error for score in scores if score.error is not None]
    if not values:
        return FoldSummary(None, None, None)
    level, error = values[-1], errors[-1] if errors else None
    if len(values) >= MIN_FOLDS_FOR_MEDIAN:
        level, error = float(np.median(values)), float(np.median(errors)) if errors else None
    if len(values) == 1:
        return FoldSummary(level, error, None)
    squares = float(((np.array(values) - np.mean(values)) ** 2).sum())
    freedom = len(values) - 1
    spread = math.sqrt(
        (squares + PRIOR_FOLDS * (error or 0.0) ** 2) / (freedom + (PRIOR_FOLDS if error else 0.0))
    )
    return FoldSummary(level, error, spread)


def name_fold_metrics(scores: list[MetricScore], metric: str) -> dict[str, float]:
    """Return the known figures of the folds by the names of a version's metrics."""
    summary = summarise_folds(scores)
    values = {
        metric: summary.value,
        standard_error_name(metric): summary.error,
        spread_name(metric): summary.spread,
    }
    return {name: value for name, value in values.items() if value is not None}

"""Compares two models on the same labelled rows: the difference of their metrics with its error.

Both models see the same rows, so what makes a row hard for both cancels out. The standard error is
that of a paired bootstrap (Efron and Tibshirani, 1993): rows are drawn anew, within each class for
a classifier, or in whole stretches of time if neighbouring rows resemble each other.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from scipy import stats

from trimtab.detection.drift.standard_errors import (
    MIN_DISTINCT_TARGETS,
    ClusterLabels,
    compute_clustered_error,
    compute_influence,
)
from trimtab.detection.profiles.arrays import AnyArray, BoolArray, FloatArray, IntArray

INTERVAL_LEVEL: Final = 0.9
"""Confidence with which each end of an interval holds by itself (one-sided)."""
REPLICATES: Final = 500
"""Samples of the bootstrap: their spread is then known to about 3 %."""
MAX_BOOTSTRAP_ROWS: Final = 20_000
"""Rows from which on the error is that of the influence function, which the bootstrap nears."""
_MAX_WEIGHTS: Final = 4_000_000
"""Weights of rows that are held in memory at once."""
_MIN_REPLICATES: Final = 50
"""Samples in which the metric must be defined for an error to be learnt from them."""

Measure: TypeAlias = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""Return the metric of both models under each row of weights, shape (samples, rows)."""


class PairedDifference(NamedTuple):
    """The metrics of two models on the same rows, and their difference."""

    before: float
    after: float
    error: float
    """Standard error of `after - before`."""
    low: float
    """Lower end of the difference's interval; see `INTERVAL_LEVEL`."""
    high: float
    after_low: float
    """Lower end of the second model's own interval."""
    after_high: float
    rows: int
    rarest: int | None
    """Rows of the rarest class; None for a regression."""


def compare_outputs(
    metric: str,
    truth: "pd.Series[Any]",
    outputs: "tuple[pd.Series[Any], pd.Series[Any]]",
    *,
    clusters: ClusterLabels = (),
    seed: int = 0,
) -> PairedDifference | None:
    """Return the difference of the second model's metric from the first one's.

    It is None if the metric is unknown, or undefined, also if it is so in most samples of the rows.
    `truth`, `outputs` and `clusters` are as for `compute_standard_error`; the outputs are those of
    both models on the same rows.
    """
    if metric not in _MEASURES or truth.nunique() < MIN_DISTINCT_TARGETS:
        return None
    actual, first, second = (each.to_numpy() for each in (truth, *outputs))
    measure = _MEASURES[metric](actual, first, second)
    (before,), (after,) = measure(np.ones((1, len(actual))))
    if not np.isfinite([before, after]).all():
        return None
    influences = [compute_influence(metric, actual, each) for each in (first, second)]
    blocks = _choose_blocks(influences[1] - influences[0], clusters)
    classes = None if metric == "r2" else pd.factorize(truth)[0]
    if len(actual) > MAX_BOOTSTRAP_ROWS:
        clustered = () if blocks is None else (pd.Series(blocks),)
        error, after_error = (
            compute_clustered_error(each, clusters=clustered)
            for each in (influences[1] - influences[0], influences[1])
        )
    else:
        error, after_error = _bootstrap_errors(
            measure, classes, blocks, rows=len(actual), seed=seed
        )
    if not math.isfinite(error):
        return None
    rarest = None if classes is None else int(np.bincount(classes).min())
    units = int(blocks.max()) + 1 if blocks is not None else rarest or len(actual)
    reach = float(stats.t.ppf(INTERVAL_LEVEL, max(units - 1, 1)))
    difference = after - before
    return PairedDifference(
        before=float(before),
        after=float(after),
        error=error,
        low=float(difference - reach * error),
        high=float(difference + reach * error),
        after_low=float(after - reach * after_error),
        after_high=min(float(after + reach * after_error), 1.0),
        rows=len(actual),
        rarest=rarest,
    )


def _choose_blocks(influence: FloatArray, clusters: ClusterLabels) -> "IntArray | None":
    """Return the stretch of time of each row if stretches vary more than rows; else None."""
    by_rows = compute_clustered_error(influence)
    errors = [compute_clustered_error(influence, clusters=[each]) for each in clusters]
    if not errors or max(errors) <= by_rows:
        return None
    blocks: IntArray = pd.factorize(clusters[int(np.argmax(errors))])[0]
    return blocks


def _bootstrap_errors(
    measure: Measure,
    classes: "IntArray | None",
    blocks: "IntArray | None",
    *,
    rows: int,
    seed: int,
) -> tuple[float, float]:
    """Return the standard errors of the difference and of the second model's metric."""
    found = [measure(weights) for weights in _draw_weights(classes, blocks, rows=rows, seed=seed)]
    before, after = (np.concatenate(each) for each in zip(*found, strict=True))
    defined = np.isfinite(before) & np.isfinite(after)
    if defined.sum() < _MIN_REPLICATES:
        return math.inf, math.inf
    units = rows if blocks is None else int(blocks.max()) + 1
    few = math.sqrt(units / max(units - 1, 1))
    difference = (after - before)[defined]
    return float(few * difference.std(ddof=1)), float(few * after[defined].std(ddof=1))


def _draw_weights(
    classes: "IntArray | None", blocks: "IntArray | None", *, rows: int, seed: int
) -> Iterator[FloatArray]:
    """Yield how often each sample draws each row, in portions, shape (samples, rows)."""
    random = np.random.default_rng(seed)
    portion = max(1, min(REPLICATES, _MAX_WEIGHTS // rows))
    for done in range(0, REPLICATES, portion):
        samples = min(portion, REPLICATES - done)
        if blocks is not None:
            yield _draw_counts(random, int(blocks.max()) + 1, samples)[:, blocks]
            continue
        weights = np.empty((samples, rows))
        for group in np.unique(classes) if classes is not None else [None]:
            inside = np.full(rows, fill_value=True) if group is None else classes == group
            weights[:, inside] = _draw_counts(random, int(inside.sum()), samples)
        yield weights


def _draw_counts(random: np.random.Generator, units: int, samples: int) -> FloatArray:
    """Return how often each unit is drawn in as many draws with replacement as there are units."""
    return random.multinomial(units, np.full(units, 1.0 / units), size=samples).astype("float64")


def _measure_r2(truth: AnyArray, first: AnyArray, second: AnyArray) -> Measure:
    centred = (truth - truth.mean()).astype("float64")
    errors = [(truth - each).astype("float64") ** 2 for each in (first, second)]

    def measure(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        with np.errstate(all="ignore"):
            spread = weights @ centred**2 - (weights @ centred) ** 2 / weights.sum(axis=1)
            before, after = (1.0 - (weights @ each) / spread for each in errors)
        return before, after

    return measure


def _measure_balanced_accuracy(truth: AnyArray, first: AnyArray, second: AnyArray) -> Measure:
    index = pd.factorize(truth)[0]
    members = np.eye(int(index.max()) + 1)[index]
    right = [(each == truth).astype("float64")[:, None] * members for each in (first, second)]

    def measure(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        with np.errstate(all="ignore"):
            sizes = weights @ members
            before, after = (np.nanmean((weights @ each) / sizes, axis=1) for each in right)
        return before, after

    return measure


def _measure_auc(truth: AnyArray, first: AnyArray, second: AnyArray) -> Measure:
    positive = truth.astype(bool)
    sorted_scores = [_sort_scores(each) for each in (first, second)]

    def measure(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        before, after = (_weigh_auc(weights, positive, *each) for each in sorted_scores)
        return before, after

    return measure


def _sort_scores(scores: AnyArray) -> "tuple[IntArray, IntArray]":
    """Return the order of the scores, and where in it each distinct score begins."""
    order: IntArray = np.argsort(scores, kind="stable")
    values = scores[order].astype("float64")
    return order, np.flatnonzero(np.concatenate([[True], np.diff(values) > 0.0]))


def _weigh_auc(
    weights: FloatArray, positive: BoolArray, order: "IntArray", starts: "IntArray"
) -> FloatArray:
    """Return the weighted share of pairs in which the positive row has the higher score."""
    ones = np.add.reduceat((weights * positive)[:, order], starts, axis=1)
    zeros = np.add.reduceat((weights * ~positive)[:, order], starts, axis=1)
    below = np.cumsum(zeros, axis=1) - zeros
    with np.errstate(all="ignore"):
        auc: FloatArray = (ones * (below + 0.5 * zeros)).sum(axis=1) / (
            ones.sum(axis=1) * zeros.sum(axis=1)
        )
    return auc


_MEASURES: Final[dict[str, Callable[[AnyArray, AnyArray, AnyArray], Measure]]] = {
    "r2": _measure_r2,
    "roc_auc": _measure_auc,
    "balanced_accuracy": _measure_balanced_accuracy,
}

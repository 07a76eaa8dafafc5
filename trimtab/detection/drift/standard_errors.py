"""Standard errors of metrics: how far a metric may be off because only some rows were seen.

A standard error is that of the metric's influence function (Hampel, 1974; for roc_auc its parts
are the components of DeLong, DeLong and Clarke-Pearson, 1988): how much the metric would change
with a row's weight. Rows of one hour or day often resemble each other, so the error is also
computed with stretches of time as clusters, and the largest error counts.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from scipy import stats

from trimtab.detection.profiles.arrays import AnyArray, BoolArray, FloatArray

DEFAULT_LOSS_ALPHA: Final = 0.01
"""False-positive rate of a loss if no false-alarm budget sets one: the same as a column's test."""
CLUSTER_LENGTHS: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
"""Lengths of time within which rows may resemble each other; the data shows whether they do."""
MIN_CLUSTERS: Final = 5
"""Clusters of one length that the rows must fill for a standard error to be learned from them."""
MIN_DISTINCT_TARGETS: Final = 2
"""Distinct targets without which no metric is defined."""
_MIN_FREEDOM: Final = 3
"""Degrees of freedom that even two clusters count as: with two, a Student's t has no variance."""

ClusterLabels: TypeAlias = "Sequence[pd.Series[Any]]"
"""Several ways to group rows into clusters: each a series with the cluster of every row."""


def is_significant_loss(loss: float, *errors: float | None, alpha: float | None = None) -> bool:
    """Return whether the difference of two measurements is more than their errors explain.

    It is a one-sided z-test at the false-positive rate `alpha`, which a false-alarm budget may
    set. A standard error that is None counts as 0.
    """
    quantile = float(stats.norm.isf(DEFAULT_LOSS_ALPHA if alpha is None else alpha))
    return loss > quantile * math.hypot(*(error for error in errors if error is not None))


def label_time_clusters(times: "pd.Series[Any]", dependence: timedelta | None) -> ClusterLabels:
    """Return the clusters of time within which rows may resemble each other.

    There is none if `dependence` is zero, and one of that length if it is given. If it is None
    there is one for each of the usual lengths of which the rows fill enough clusters.
    """
    since = times - pd.Timestamp(0, tz="UTC")
    if dependence is not None:
        return [since // dependence] if dependence else []
    labels = [since // length for length in CLUSTER_LENGTHS]
    return [clusters for clusters in labels if clusters.nunique() >= MIN_CLUSTERS]


def compute_standard_error(
    metric: str,
    truth: "pd.Series[Any]",
    outputs: "pd.Series[Any]",
    *,
    clusters: ClusterLabels = (),
) -> float | None:
    """Return the metric's standard error on these rows, or None if it is undefined or unknown.

    `outputs` are predictions; for roc_auc they are scores, and `truth` says whether each row is of
    the positive class. `clusters` as for `compute_clustered_error`.
    """
    if metric not in _INFLUENCES or truth.nunique() < MIN_DISTINCT_TARGETS:
        return None
    influence = compute_influence(metric, truth.to_numpy(), outputs.to_numpy())
    return compute_clustered_error(influence, clusters=clusters)


def compute_influence(metric: str, truth: AnyArray, outputs: AnyArray) -> FloatArray:
    """Return how much a known metric would change with each row's weight, shape (rows,)."""
    return _INFLUENCES[metric](truth, outputs)


def compute_auc_error(
    current: BoolArray,
    scores: FloatArray,
    *,
    clusters: tuple[ClusterLabels, ClusterLabels] = ((), ()),
) -> float:
    """Return the standard error of the area under the curve that separates two samples.

    `current` says which rows are of the window; `clusters` are those of the other rows, then those
    of the window's. The errors of the two samples are independent.
    """
    influence = _compute_auc_influence(current, scores)
    errors = [
        compute_clustered_error(influence[side], clusters=labels) * side.mean()
        for side, labels in zip((~current, current), clusters, strict=True)
    ]
    return math.hypot(*errors)


def compute_clustered_error(influence: FloatArray, *, clusters: ClusterLabels = ()) -> float:
    """Return the standard error of a figure with this influence function.

    It is the largest of the error by rows and of the cluster-robust errors, in which clusters, not
    rows, count as independent (Liang and Zeger, 1986).
    """
    by_rows = float(influence.std() / math.sqrt(len(influence)))
    return max([by_rows, *(_compute_error_by_cluster(influence, each) for each in clusters)])


def _compute_error_by_cluster(influence: FloatArray, labels: "pd.Series[Any]") -> float:
    """Return the cluster-robust error, or 0 if all rows are in one cluster: nothing varies then.

    Few clusters leave the error uncertain. It is that of a Student's t with one degree of freedom
    less than there are clusters (Cameron and Miller, 2015), scaled to the spread of a normal
    variable.
    """
    sums = np.bincount(pd.factorize(labels)[0], weights=influence)
    if len(sums) <= 1:
        return 0.0
    freedom = max(len(sums) - 1, _MIN_FREEDOM)
    spread = float((sums**2).sum()) * len(sums) / (len(sums) - 1)
    return math.sqrt(spread * freedom / (freedom - 2)) / len(influence)


def _compute_r2_influence(truth: AnyArray, predictions: AnyArray) -> FloatArray:
    errors = (truth - predictions).astype("float64") ** 2
    spread = (truth - truth.mean()).astype("float64") ** 2
    influence: FloatArray = (errors.mean() / spread.mean() * spread - errors) / spread.mean()
    return influence


def _compute_auc_influence(truth: AnyArray, scores: AnyArray) -> FloatArray:
    positive = truth.astype(bool)
    ranks, share = stats.rankdata(scores), positive.mean()
    above = np.empty(len(positive))
    for inside in (positive, ~positive):
        others = (~inside).sum()
        above[inside] = (ranks[inside] - stats.rankdata(scores[inside])) / others
    value = above[positive].mean()
    above[~positive] = 1.0 - above[~positive]
    influence: FloatArray = (above - value) / np.where(positive, share, 1.0 - share)
    return influence


def _compute_balanced_accuracy_influence(truth: AnyArray, predictions: AnyArray) -> FloatArray:
    right = (truth == predictions).astype("float64")
    classes, index, counts = np.unique(truth.astype(str), return_inverse=True, return_counts=True)
    recalls = np.bincount(index, weights=right) / counts
    influence: FloatArray = (right - recalls[index]) / counts[index] * len(truth) / len(classes)
    return influence


_INFLUENCES: Final[Mapping[str, Callable[[AnyArray, AnyArray], FloatArray]]] = {
    "r2": _compute_r2_influence,
    "roc_auc": _compute_auc_influence,
    "balanced_accuracy": _compute_balanced_accuracy_influence,
}

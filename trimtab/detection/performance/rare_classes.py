"""Standard errors that count the rows of the rarest class: a thousand rows may hold ten positives.

They are a floor below the errors of influence functions (`trimtab.detection.drift.standard_errors`)
which vanish if no row of a rare class happens to be wrong.
"""

import math
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from trimtab.detection.profiles.arrays import AnyArray

MIN_RARE_CLASS_ROWS: Final = 15
"""Labelled rows that each class needs for a metric of classes to be measured."""
_PSEUDO_ROWS: Final = 2.0
"""Rows, half of them wrong, that are added to a class, so that no class is surely right (Agresti
and Coull, 1998, for the small samples that two rows suffice for)."""


def count_rarest_class(targets: "pd.Series[Any]") -> int:
    """Return the number of rows of the rarest class; 0 if there are fewer than two classes."""
    counts = targets.value_counts()
    return int(counts.min()) if len(counts) > 1 else 0


def compute_class_error(metric: str, truth: AnyArray, outputs: AnyArray) -> float:
    """Return the least standard error that so few rows of each class allow; 0 for "r2".

    `outputs` are predicted classes; for "roc_auc" they are scores, and `truth` says whether each
    row is of the positive class.
    """
    if metric == "roc_auc":
        return _compute_auc_error(truth.astype(bool), outputs)
    if metric == "balanced_accuracy":
        return _compute_recall_error(truth, outputs)
    return 0.0


def _compute_auc_error(positive: AnyArray, scores: AnyArray) -> float:
    """Return the standard error by class sizes alone (Hanley and McNeil, 1982)."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not min(positives, negatives):
        return 0.0
    ranks = stats.rankdata(scores)
    raw = float(ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives)
    rarest = min(positives, negatives)
    area = (max(raw, 1.0 - raw) * rarest + 0.5) / (rarest + 1.0)
    above, below = area / (2.0 - area), 2.0 * area**2 / (1.0 + area)
    variance = (
        area * (1.0 - area)
        + (positives - 1) * (above - area**2)
        + (negatives - 1) * (below - area**2)
    )
    return math.sqrt(max(variance, 0.0) / (positives * negatives))


def _compute_recall_error(truth: AnyArray, predicted: AnyArray) -> float:
    """Return the standard error of the mean recall, each a share of its class's rows."""
    right = (truth == predicted).astype("float64")
    _, index, counts = np.unique(truth.astype(str), return_inverse=True, return_counts=True)
    enlarged = counts + _PSEUDO_ROWS
    recalls = (np.bincount(index, weights=right) + _PSEUDO_ROWS / 2.0) / enlarged
    variances = recalls * (1.0 - recalls) / enlarged
    return math.sqrt(float(variances.sum())) / len(counts)

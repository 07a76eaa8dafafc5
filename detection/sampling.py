"""How far a metric may be off because only some rows were seen: a loss within that is no loss.

Each standard error is that of the metric's influence function (Hampel, 1974; for roc_auc these
are the components of DeLong, DeLong and Clarke-Pearson, 1988): how much the metric would change
with a row's weight. Rows count as independent of each other, unless it is said which are alike.
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

CHANCE: Final = 0.01
"""How often a loss that is mere chance may pass for real: as for a column's test."""

Numbers = npt.NDArray[np.float64]


def surpasses_chance(loss: float, *errors: float | None, chance: float | None = None) -> bool:
    """Whether a loss between two measurements is more than their standard errors explain.

    One-sided z-test; an unknown error counts as none. `chance` is how often mere chance may pass
    for real, where a false-alarm budget says less than usual.
    """
    allowed = CHANCE if chance is None else min(chance, CHANCE)
    return loss > float(stats.norm.isf(allowed)) * math.hypot(
        *(error for error in errors if error is not None)
    )


def standard_error(
    metric: str,
    truth: "pd.Series[Any]",
    found: "pd.Series[Any]",
    *,
    alike: "pd.Series[Any] | None" = None,
) -> float | None:
    """Of the metric on these rows; None where it is unknown or undefined.

    `found` holds predictions; for roc_auc scores, and `truth` whether each row is of the class.
    Rows with the same value in `alike` may resemble each other: groups of them, not rows, count as
    independent then (Liang and Zeger, 1986), where there are two at least.
    """
    influences = {
        "r2": _of_r2, "roc_auc": _of_roc_auc, "balanced_accuracy": _of_balanced_accuracy,
    }  # fmt: skip
    if metric not in influences or truth.nunique() < 2:  # noqa: PLR2004 - nothing to tell apart
        return None
    return influence_error(influences[metric](truth.to_numpy(), found.to_numpy()), alike=alike)


def influence_error(influence: Numbers, *, alike: "pd.Series[Any] | None" = None) -> float:
    """The standard error of a figure with this influence function; `alike` as above."""
    if alike is None or alike.nunique() < 2:  # noqa: PLR2004 - nothing varies
        return float(influence.std() / math.sqrt(len(influence)))
    sums = np.bincount(pd.factorize(alike)[0], weights=influence)
    spread = float((sums**2).sum()) * len(sums) / (len(sums) - 1)
    return math.sqrt(spread) / len(influence)


def _of_r2(truth: Any, found: Any) -> Numbers:  # noqa: ANN401 - an array of numbers
    errors = (truth - found).astype("float64") ** 2
    spread = (truth - truth.mean()).astype("float64") ** 2
    influence: Numbers = (errors.mean() / spread.mean() * spread - errors) / spread.mean()
    return influence


def _of_roc_auc(truth: Any, found: Any) -> Numbers:  # noqa: ANN401 - an array of booleans
    positive = truth.astype(bool)
    ranks, share = stats.rankdata(found), positive.mean()
    above = np.empty(len(positive))
    for inside in (positive, ~positive):
        others = (~inside).sum()
        above[inside] = (ranks[inside] - stats.rankdata(found[inside])) / others
    value = above[positive].mean()
    above[~positive] = 1.0 - above[~positive]
    influence: Numbers = (above - value) / np.where(positive, share, 1.0 - share)
    return influence


def _of_balanced_accuracy(truth: Any, found: Any) -> Numbers:  # noqa: ANN401 - an array of classes
    right = (truth == found).astype("float64")
    classes, place, counts = np.unique(truth.astype(str), return_inverse=True, return_counts=True)
    recalls = np.bincount(place, weights=right) / counts
    influence: Numbers = (right - recalls[place]) / counts[place] * len(truth) / len(classes)
    return influence

"""How far a metric may be off because only some rows were seen: a loss within that is no loss.

Each standard error is that of the metric's influence function (Hampel, 1974; for roc_auc these
are the components of DeLong, DeLong and Clarke-Pearson, 1988): how much the metric would change
with a row's weight. Rows of one hour or day often resemble each other, so the error is found by
stretches of time as well, and the largest holds.
"""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

CHANCE: Final = 0.01
"""How often a loss that is mere chance may pass for real where no budget says: as for a column's
test."""
STRETCHES: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
"""Of time, within which rows may resemble each other; which of them do is learnt."""
FEWEST_STRETCHES: Final = 5
"""Of one length in the rows, for something to be learnt of them."""
_LEAST_FREEDOM: Final = 3
"""Degrees of freedom that even two groups count as: with two a Student's t has no variance."""

Numbers = npt.NDArray[np.float64]
Groupings: TypeAlias = "Sequence[pd.Series[Any]]"
"""Ways to part rows into groups that may resemble each other inside."""


def surpasses_chance(loss: float, *errors: float | None, chance: float | None = None) -> bool:
    """Whether a loss between two measurements is more than their standard errors explain.

    One-sided z-test; an unknown error counts as none. `chance` is how often mere chance may pass
    for real, as a false-alarm budget says.
    """
    allowed = CHANCE if chance is None else chance
    return loss > float(stats.norm.isf(allowed)) * math.hypot(
        *(error for error in errors if error is not None)
    )


def groupings(times: "pd.Series[Any]", dependence: timedelta | None) -> Groupings:
    """By which stretches of time rows may resemble each other.

    By none where `dependence` is zero, by it where it is stated, and where it is None by each of
    those of which the rows hold enough.
    """
    since = times - pd.Timestamp(0, tz="UTC")
    if dependence is not None:
        return [since // dependence] if dependence else []
    parted = [since // stretch for stretch in STRETCHES]
    return [groups for groups in parted if groups.nunique() >= FEWEST_STRETCHES]


def standard_error(
    metric: str,
    truth: "pd.Series[Any]",
    found: "pd.Series[Any]",
    *,
    alike: Groupings = (),
) -> float | None:
    """Of the metric on these rows; None where it is unknown or undefined.

    `found` holds predictions; for roc_auc scores, and `truth` whether each row is of the class.
    `alike` as for `influence_error`.
    """
    influences = {
        "r2": _of_r2, "roc_auc": _of_roc_auc, "balanced_accuracy": _of_balanced_accuracy,
    }  # fmt: skip
    if metric not in influences or truth.nunique() < 2:  # noqa: PLR2004 - nothing to tell apart
        return None
    return influence_error(influences[metric](truth.to_numpy(), found.to_numpy()), alike=alike)


def area_error(
    current: "npt.NDArray[np.bool_]",
    scores: Numbers,
    *,
    alike: tuple[Groupings, Groupings] = ((), ()),
) -> float:
    """Of the area that tells rows of a window from others; the sides' errors are independent.

    `alike` holds the groupings of the others, then those of the window's rows.
    """
    influence = _of_roc_auc(current, scores)
    sides = zip((~current, current), alike, strict=True)
    errors = [influence_error(influence[side], alike=each) * side.mean() for side, each in sides]
    return math.hypot(*errors)


def influence_error(influence: Numbers, *, alike: Groupings = ()) -> float:
    """The standard error of a figure with this influence function.

    The largest of the one by rows and those by the groups of each grouping in `alike`, of which
    groups, not rows, count as independent (Liang and Zeger, 1986).
    """
    by_rows = float(influence.std() / math.sqrt(len(influence)))
    return max([by_rows, *(_by_groups(influence, each) for each in alike)])


def _by_groups(influence: Numbers, groups: "pd.Series[Any]") -> float:
    """0 where all rows are of one group, for nothing varies then.

    Few groups leave open what the error is: it is that of a Student's t of one degree of freedom
    less than there are groups (Cameron and Miller, 2015), brought to the spread of a normal one.
    """
    sums = np.bincount(pd.factorize(groups)[0], weights=influence)
    if len(sums) < 2:  # noqa: PLR2004 - one
        return 0.0
    freedom = max(len(sums) - 1, _LEAST_FREEDOM)
    spread = float((sums**2).sum()) * len(sums) / (len(sums) - 1)
    return math.sqrt(spread * freedom / (freedom - 2)) / len(influence)


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

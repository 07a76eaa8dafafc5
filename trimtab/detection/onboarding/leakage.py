"""Tells whether one column gives the target away: no honest feature foretells it alone."""

import numpy as np
import pandas as pd

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Task
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.casting import cast_to_categories, cast_to_numbers

_NEAR_PERFECT = {Task.REGRESSION: 0.999, Task.CLASSIFICATION: 0.995}
"""R2, or balanced accuracy, on rows held out."""
_SAME_ORDER = 0.9995
"""Rank correlation."""
_ROWS = 20_000
_FEWEST = 5
"""Rows of a class that are worth a share of their own."""


def gives_away(values: pd.Series, target: pd.Series, *, kind: FeatureKind, task: Task) -> str:
    """How the column gives the target away, or ""; both have the same index, without repeats.

    The value of the nearest neighbour in this column alone, among one half of the rows, is taken
    as the prediction for the other half.
    """
    told = _told(values, target, kind=kind, task=task)
    if told or not values.hasnans:
        return told
    return _told(values[values.notna()], target, kind=kind, task=task)


def _told(values: pd.Series, target: pd.Series, *, kind: FeatureKind, task: Task) -> str:
    target = target.loc[values.index]
    usable = target.notna().to_numpy().nonzero()[0]
    chosen = np.random.default_rng(0).permutation(usable)[:_ROWS]
    if len(chosen) < 2 * _FEWEST:
        return ""
    x = _as_places(values.iloc[chosen], kind)
    y = _as_places(target.iloc[chosen], _kind_of(task))
    score = _foretold(x, y, task)
    if score >= _NEAR_PERFECT[task]:
        what = "R2" if task is Task.REGRESSION else "balanced accuracy"
        return f"gives the target away: alone it foretells it with {what} {score:.4f}"
    if task is Task.REGRESSION and kind is FeatureKind.NUMERIC and _same_order(x, y):
        return "gives the target away: it puts the rows in the same order"
    return ""


def _kind_of(task: Task) -> FeatureKind:
    return FeatureKind.NUMERIC if task is Task.REGRESSION else FeatureKind.CATEGORICAL


def _as_places(values: pd.Series, kind: FeatureKind) -> FloatArray:
    """Numbers as they are, categories as their codes; what is missing gets a place of its own."""
    if kind is FeatureKind.CATEGORICAL:
        return np.asarray(pd.factorize(cast_to_categories(values))[0], dtype="float64")
    numbers = cast_to_numbers(values)
    reach = numbers.max() - numbers.min()
    below = numbers.min() - max(1.0, reach) if pd.notna(reach) else 0.0
    return np.asarray(numbers.fillna(below), dtype="float64")


def _foretold(x: FloatArray, y: FloatArray, task: Task) -> float:
    half = len(x) // 2
    predicted, true = _nearest(x[:half], y[:half], at=x[half:]), y[half:]
    if task is Task.CLASSIFICATION:
        return _balanced_accuracy(predicted, true)
    spread = float(np.square(true - true.mean()).sum())
    return 1.0 - float(np.square(true - predicted).sum()) / spread if spread else 0.0


def _nearest(x: FloatArray, y: FloatArray, *, at: FloatArray) -> FloatArray:
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    right = np.searchsorted(x, at).clip(0, len(x) - 1)
    left = (right - 1).clip(0)
    closer = np.where(np.abs(x[left] - at) < np.abs(x[right] - at), left, right)
    chosen: FloatArray = y[closer]
    return chosen


def _balanced_accuracy(predicted: FloatArray, true: FloatArray) -> float:
    classes, sizes = np.unique(true, return_counts=True)
    kept = classes[sizes >= _FEWEST]
    if len(kept) <= 1:
        return 0.0
    return float(np.mean([(predicted[true == each] == each).mean() for each in kept]))


def _same_order(x: FloatArray, y: FloatArray) -> bool:
    if not np.ptp(x) or not np.ptp(y):
        return False
    ranks = np.corrcoef(pd.Series(x).rank(), pd.Series(y).rank())
    return bool(abs(ranks[0, 1]) > _SAME_ORDER)

"""Finds columns that leak the target: no honest feature predicts it alone."""

from typing import Final

import numpy as np
import pandas as pd

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Task
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.casting import cast_to_categories, cast_to_numbers

_MIN_LEAKAGE_SCORE: Final = {Task.REGRESSION: 0.999, Task.CLASSIFICATION: 0.995}
"""R², or balanced accuracy, on the rows held out."""
_SCORE_NAMES: Final = {Task.REGRESSION: "R²", Task.CLASSIFICATION: "balanced accuracy"}
_MIN_RANK_CORRELATION: Final = 0.9995
_MAX_ROWS: Final = 20_000
_MIN_CLASS_ROWS: Final = 5
"""Rows that a class needs to count for the score."""


def find_leakage(values: pd.Series, target: pd.Series, *, kind: FeatureKind, task: Task) -> str:
    """Return how the column leaks the target, or ""; both have the same index, without repeats.

    The target is predicted for one half of the rows from the nearest neighbour, by this column
    alone, in the other half.
    """
    leakage = _find_leakage(values, target, kind=kind, task=task)
    if leakage or not values.hasnans:
        return leakage
    return _find_leakage(values[values.notna()], target, kind=kind, task=task)


def _find_leakage(values: pd.Series, target: pd.Series, *, kind: FeatureKind, task: Task) -> str:
    target = target.loc[values.index]
    usable = target.notna().to_numpy().nonzero()[0]
    chosen = np.random.default_rng(0).permutation(usable)[:_MAX_ROWS]
    if len(chosen) < 2 * _MIN_CLASS_ROWS:
        return ""
    target_kind = FeatureKind.NUMERIC if task is Task.REGRESSION else FeatureKind.CATEGORICAL
    x = _encode_values(values.iloc[chosen], kind)
    y = _encode_values(target.iloc[chosen], target_kind)
    score = _score_prediction(x, y, task)
    if score >= _MIN_LEAKAGE_SCORE[task]:
        return (
            "it leaks the target: this column alone predicts it with"
            f" {_SCORE_NAMES[task]} {score:.4f}"
        )
    if task is Task.REGRESSION and kind is FeatureKind.NUMERIC and _have_same_order(x, y):
        return "it leaks the target: it puts the rows in the same order"
    return ""


def _encode_values(values: pd.Series, kind: FeatureKind) -> FloatArray:
    """Return numbers as they are and categories as codes, with one more value for missing ones."""
    if kind is FeatureKind.CATEGORICAL:
        return np.asarray(pd.factorize(cast_to_categories(values))[0], dtype="float64")
    numbers = cast_to_numbers(values)
    width = numbers.max() - numbers.min()
    below = numbers.min() - max(1.0, width) if pd.notna(width) else 0.0
    return np.asarray(numbers.fillna(below), dtype="float64")


def _score_prediction(x: FloatArray, y: FloatArray, task: Task) -> float:
    """Return R² or balanced accuracy of y predicted by the nearest neighbour in x."""
    half = len(x) // 2
    predicted, true = _predict_nearest(x[:half], y[:half], at=x[half:]), y[half:]
    if task is Task.CLASSIFICATION:
        return _compute_balanced_accuracy(predicted, true)
    total = float(np.square(true - true.mean()).sum())
    return 1.0 - float(np.square(true - predicted).sum()) / total if total else 0.0


def _predict_nearest(x: FloatArray, y: FloatArray, *, at: FloatArray) -> FloatArray:
    """Return, for each value in `at`, the y of the nearest x."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    right = np.searchsorted(x, at).clip(0, len(x) - 1)
    left = (right - 1).clip(0)
    nearest = np.where(np.abs(x[left] - at) < np.abs(x[right] - at), left, right)
    predicted: FloatArray = y[nearest]
    return predicted


def _compute_balanced_accuracy(predicted: FloatArray, true: FloatArray) -> float:
    """Return the mean recall of the classes with enough rows; 0 if fewer than two have."""
    classes, sizes = np.unique(true, return_counts=True)
    kept = classes[sizes >= _MIN_CLASS_ROWS]
    if len(kept) <= 1:
        return 0.0
    return float(np.mean([(predicted[true == each] == each).mean() for each in kept]))


def _have_same_order(x: FloatArray, y: FloatArray) -> bool:
    """Return whether x and y rank the rows alike or in reverse (Spearman, 1904)."""
    if not np.ptp(x) or not np.ptp(y):
        return False
    correlation = np.corrcoef(pd.Series(x).rank(), pd.Series(y).rank())
    return bool(abs(correlation[0, 1]) > _MIN_RANK_CORRELATION)

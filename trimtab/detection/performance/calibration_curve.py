"""Calibrates the scores of a classifier: turns them into probabilities of each class."""

from typing import Final

import numpy as np
from pydantic import ConfigDict, Field
from sklearn.isotonic import IsotonicRegression

from trimtab.contracts.base import Record
from trimtab.detection.profiles.arrays import BoolArray, FloatArray, IntArray

MAX_CURVE_POINTS: Final = 200
"""Points of one calibration curve that are kept at most."""


class CalibrationCurve(Record):
    """A piecewise linear map from scores to the probability of one class."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    scores: tuple[float, ...] = Field(min_length=1)
    """Ascending."""
    probabilities: tuple[float, ...] = Field(min_length=1, alias="chances")
    """Probabilities at these scores, stored under the key "chances"."""

    def interpolate(self, scores: FloatArray) -> FloatArray:
        """Return the probability for each score; beyond the ends it stays constant."""
        probabilities: FloatArray = np.interp(scores, self.scores, self.probabilities)
        return probabilities


def fit_curves(scores: FloatArray, truth: IntArray) -> tuple[CalibrationCurve, ...]:
    """Fit one curve a class; `scores` has shape (rows, classes), `truth` holds class indices."""
    return tuple(_fit_curve(column, truth == index) for index, column in enumerate(scores.T))


def calibrate_probabilities(scores: FloatArray, curves: tuple[CalibrationCurve, ...]) -> FloatArray:
    """Return the calibrated probability of each class, shape (rows, classes); rows sum to 1."""
    probabilities = np.column_stack(
        [curve.interpolate(column) for curve, column in zip(curves, scores.T, strict=True)]
    )
    total = probabilities.sum(axis=1, keepdims=True)
    normalised: FloatArray = np.full_like(probabilities, 1.0 / probabilities.shape[1])
    np.divide(probabilities, total, out=normalised, where=total > 0.0)
    return normalised


def _fit_curve(scores: FloatArray, of_class: BoolArray) -> CalibrationCurve:
    """Fit isotonic regression (Zadrozny and Elkan, 2002), and keep some of its corners."""
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    fitted.fit(scores, of_class.astype("float64"))
    corners = np.arange(len(fitted.X_thresholds_))
    if len(corners) > MAX_CURVE_POINTS:
        kept = np.linspace(0, len(corners) - 1, MAX_CURVE_POINTS)
        corners = np.unique(kept.astype("int64"))
    return CalibrationCurve(
        scores=tuple(fitted.X_thresholds_[corners].tolist()),
        probabilities=tuple(fitted.y_thresholds_[corners].tolist()),
    )

"""Intervals of proportions and means, and how well a confidence foretells that a plan is right."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.metrics import roc_auc_score

from trimtab.contracts.base import Record

_NORMAL_95: Final = 1.959963984540054
_BINS: Final = 10


class Proportion(Record):
    """A proportion with its 95 % interval."""

    hits: float
    n: int
    value: float | None
    low: float | None
    high: float | None


class MeanFigure(Record):
    """A mean with its 95 % interval."""

    n: int
    value: float | None
    low: float | None
    high: float | None


class ConfidenceScore(Record):
    """How well the confidence in plans foretells that cause and action are right."""

    n: int
    right: float | None
    """Share of the plans that are right."""
    mean: float | None
    """Mean confidence."""
    calibration_error: float | None
    """Expected calibration error over ten bins of equal width (Naeini et al., 2015)."""
    brier: float | None
    base_brier: float | None
    """Brier score of the share of right plans alone."""
    auroc: float | None
    """None unless there are right and wrong plans."""
    risk_coverage: tuple[tuple[float, float], ...] = ()
    """Share of the plans with the highest confidence, and share of wrong ones among them."""
    bins: tuple[tuple[float, float, int], ...] = ()
    """Mean confidence, share of right plans and number of plans of each bin that is not empty."""


def compute_proportion(hits: float, n: int) -> Proportion:
    """Return hits out of n with Wilson's 95 % interval (Wilson, 1927)."""
    if n == 0:
        return Proportion(hits=0, n=0, value=None, low=None, high=None)
    share, square = hits / n, _NORMAL_95**2
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = _NORMAL_95 * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Proportion(hits=hits, n=n, value=round(share, 4), low=round(low, 4), high=round(high, 4))


def compute_mean_figure(values: Sequence[float]) -> MeanFigure:
    """Return the mean with its normal 95 % interval."""
    if not values:
        return MeanFigure(n=0, value=None, low=None, high=None)
    mean = float(np.mean(values))
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    half = _NORMAL_95 * error
    return MeanFigure(
        n=len(values),
        value=round(mean, 5),
        low=round(mean - half, 5),
        high=round(mean + half, 5),
    )


def score_confidence(confidences: Sequence[float], right: Sequence[bool]) -> ConfidenceScore:
    """Return how well confidences foretell which plans are right."""
    if not confidences:
        return ConfidenceScore(
            n=0, right=None, mean=None, calibration_error=None, brier=None, base_brier=None,
            auroc=None,
        )  # fmt: skip
    values = np.asarray(confidences, dtype="float64")
    outcomes = np.asarray(right, dtype="float64")
    base = float(outcomes.mean())
    auroc = float(roc_auc_score(outcomes, values)) if 0.0 < base < 1.0 else None
    bins = _list_bins(values, outcomes)
    error = sum(count * abs(mean - share) for mean, share, count in bins) / len(values)
    return ConfidenceScore(
        n=len(values),
        right=round(base, 4),
        mean=round(float(values.mean()), 4),
        calibration_error=round(error, 4),
        brier=round(float(((values - outcomes) ** 2).mean()), 4),
        base_brier=round(base * (1.0 - base), 4),
        auroc=None if auroc is None else round(auroc, 4),
        risk_coverage=_list_risks(values, outcomes),
        bins=tuple((round(mean, 4), round(share, 4), count) for mean, share, count in bins),
    )


def _list_bins(
    values: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    outcomes: "np.ndarray[tuple[int], np.dtype[np.float64]]",
) -> list[tuple[float, float, int]]:
    index = np.minimum((values * _BINS).astype("int64"), _BINS - 1)
    chosen = [index == each for each in range(_BINS)]
    return [
        (float(values[inside].mean()), float(outcomes[inside].mean()), int(inside.sum()))
        for inside in chosen
        if inside.any()
    ]


def _list_risks(
    values: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    outcomes: "np.ndarray[tuple[int], np.dtype[np.float64]]",
) -> tuple[tuple[float, float], ...]:
    order = np.argsort(-values, kind="stable")
    wrong = np.cumsum(1.0 - outcomes[order])
    counts = sorted({max(1, round(len(values) * tenth / 10)) for tenth in range(1, 11)})
    return tuple(
        (round(count / len(values), 3), round(float(wrong[count - 1]) / count, 4))
        for count in counts
    )

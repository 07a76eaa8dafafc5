"""Effect sizes: how far one column moved, in figures that do not grow with the number of rows.

The functions take the shares of a column's values in each bin, reference and current over the same
bins: ten quantile bins of the reference for numbers, its top categories and "other" for categories.
"""

from typing import Final

import numpy as np

from trimtab.contracts.comparison import EffectSizes
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.drift.wasserstein import compute_wasserstein
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.window_profile import (
    ColumnProfile,
    coarsen_bins,
    compute_shares,
)

MIN_BIN_SHARE: Final = 0.001
"""Smallest share that a bin counts with, which keeps the population stability index finite and
independent of the sample size."""


def compute_effect_sizes(reference: ColumnProfile, current: ColumnProfile) -> EffectSizes:
    """Return the effect sizes that suit the column's kind.

    Both profiles must hold values and be counted over the same bins.
    """
    before = compute_shares(coarsen_bins(reference))
    now = compute_shares(coarsen_bins(current))
    numeric = reference.column.kind is FeatureKind.NUMERIC
    return EffectSizes(
        psi=compute_psi(before, now),
        jensen_shannon=compute_jensen_shannon(before, now),
        wasserstein=compute_wasserstein(reference, current) if numeric else None,
        total_variation=None if numeric else compute_total_variation(before, now),
    )


def compute_psi(reference: FloatArray, current: FloatArray) -> float:
    """Return the population stability index in nats: the sum of (q - p) ln(q / p) over the bins.

    It is symmetric and 0 for equal shares: the symmetrised Kullback-Leibler divergence (Jeffreys,
    1946; rules of thumb for its size: Siddiqi, 2006).
    """
    before, now = np.maximum(reference, MIN_BIN_SHARE), np.maximum(current, MIN_BIN_SHARE)
    return float(np.sum((now - before) * np.log(now / before)))


def compute_jensen_shannon(reference: FloatArray, current: FloatArray) -> float:
    """Return the Jensen-Shannon distance, 0 to 1.

    It is the root of (D(p|m) + D(q|m)) / 2 in bits, where m is the mean of p and q, and a metric
    (Endres and Schindelin, 2003). It is 1 if no bin holds values of both sides.
    """
    middle = (reference + current) / 2
    nats = (_compute_divergence(reference, middle) + _compute_divergence(current, middle)) / 2
    return float(np.sqrt(np.clip(nats / np.log(2), 0.0, 1.0)))


def compute_total_variation(reference: FloatArray, current: FloatArray) -> float:
    """Return half the sum of |p - q| over the bins, 0 to 1: the share of values that moved bins."""
    return float(min(np.abs(reference - current).sum() / 2, 1.0))


def _compute_divergence(shares: FloatArray, others: FloatArray) -> float:
    """Return the Kullback-Leibler divergence in nats; an empty bin adds nothing."""
    filled = shares > 0.0
    return float(np.sum(shares[filled] * np.log(shares[filled] / others[filled])))

"""How far one column moved: effect sizes, which do not grow with the number of rows.

`Shares` are the parts of a column's values in each bin, reference and current over the same bins:
for numbers ten quantile bins of the reference, for categories its top ones and "other".
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

from trimtab.contracts.comparison import EffectSizes
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.drift.wasserstein import wasserstein
from trimtab.detection.profiles.window_profile import ColumnProfile, coarsen_bins, compute_shares

SMALLEST_SHARE: Final = 0.001
"""Emptier bins count as this full: keeps PSI finite, and independent of the sample size."""

Shares = npt.NDArray[np.float64]


def effects_of(reference: ColumnProfile, current: ColumnProfile) -> EffectSizes:
    """All that suit the column's kind; both profiles hold values, over the same bins."""
    before, now = compute_shares(coarsen_bins(reference)), compute_shares(coarsen_bins(current))
    numeric = reference.column.kind is FeatureKind.NUMERIC
    return EffectSizes(
        psi=stability_index(before, now),
        jensen_shannon=jensen_shannon(before, now),
        wasserstein=wasserstein(reference, current) if numeric else None,
        total_variation=None if numeric else total_variation(before, now),
    )


def stability_index(reference: Shares, current: Shares) -> float:
    """Population stability index, in nats: the sum of (q - p) ln(q / p) over the bins.

    Symmetric, 0 for equal shares: the symmetrised Kullback-Leibler divergence (Jeffreys, 1946;
    rules of thumb for its size: Siddiqi, 2006).
    """
    before, now = np.maximum(reference, SMALLEST_SHARE), np.maximum(current, SMALLEST_SHARE)
    return float(np.sum((now - before) * np.log(now / before)))


def jensen_shannon(reference: Shares, current: Shares) -> float:
    """Jensen-Shannon distance, 0 to 1: the root of (D(p|m) + D(q|m)) / 2 in bits, m the mean.

    A metric (Endres and Schindelin, 2003); 1 where no bin holds values of both.
    """
    middle = (reference + current) / 2
    nats = (rel_entr(reference, middle).sum() + rel_entr(current, middle).sum()) / 2
    return float(np.sqrt(np.clip(nats / np.log(2), 0.0, 1.0)))


def total_variation(reference: Shares, current: Shares) -> float:
    """Half the sum of |p - q| over the bins, 0 to 1: the share of values that changed bins."""
    return float(min(np.abs(reference - current).sum() / 2, 1.0))

"""How far one column moved: effect sizes, which do not grow with the number of rows.

`Shares` are the parts of a column's values in each bin, reference and current over the same bins:
for numbers ten quantile bins of the reference, for categories its top ones and "other".
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

from contracts.comparison import Effects
from contracts.drift import FeatureKind
from detection.profile import ColumnProfile, coarse, shares

SMALLEST_SHARE: Final = 0.001
"""Emptier bins count as this full: keeps PSI finite, and independent of the sample size."""

Shares = npt.NDArray[np.float64]


def effects_of(reference: ColumnProfile, current: ColumnProfile) -> Effects:
    """All that suit the column's kind; both profiles hold values, over the same bins."""
    before, now = shares(coarse(reference)), shares(coarse(current))
    numeric = reference.column.kind is FeatureKind.NUMERIC
    return Effects(
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


def cumulative_gap(reference: ColumnProfile, current: ColumnProfile) -> float:
    """Largest |F - G| at the edges of the fine bins, 0 to 1: Kolmogorov's distance.

    The true one is larger by at most the greatest share of the reference in one bin.
    """
    return float(np.abs(cumulative_shares(reference) - cumulative_shares(current)).max(initial=0.0))


def wasserstein(reference: ColumnProfile, current: ColumnProfile) -> float | None:
    """Wasserstein-1 distance in standard deviations of the reference; None where it has none.

    The integral of |F - G| (Vallender, 1974) over the fine bins, in each of which values count as
    spread evenly. What lies beyond the outermost edges follows from the exact means, and the
    difference of these is never exceeded by the distance.
    """
    if not reference.std or reference.mean is None or current.mean is None:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        before, now = _tails(reference), _tails(current)
        beyond = abs(before.lower - now.lower) + abs(before.upper - now.upper)
        distance = _between_edges(reference, current) + beyond
        apart = abs(reference.mean - current.mean)
        found = np.maximum(distance if np.isfinite(distance) else apart, apart) / reference.std
    return float(found) if np.isfinite(found) else None


class Tails(NamedTuple):
    """Mean distance of values beyond the outermost edges from these; others count as 0."""

    lower: float
    upper: float


def cumulative_shares(profile: ColumnProfile) -> Shares:
    """Share of the values up to each edge."""
    counts: Shares = np.asarray(profile.counts, dtype="float64")
    share: Shares = np.cumsum(counts)[:-1] / max(counts.sum(), 1.0)
    return share


def _between_edges(reference: ColumnProfile, current: ColumnProfile) -> float:
    """The integral of |F - G| from the first to the last edge, both linear between edges."""
    gap = cumulative_shares(reference) - cumulative_shares(current)
    left, right = gap[:-1], gap[1:]
    size = np.abs(left) + np.abs(right)
    crossing = (left**2 + right**2) / (2 * np.where(size > 0, size, 1.0))
    heights = np.where(left * right >= 0, size / 2, crossing)
    return float(np.sum(heights * np.diff(reference.edges)))


def _tails(profile: ColumnProfile) -> Tails:
    """As if each tail reached evenly to the extreme, then moved to agree with the exact mean."""
    if not len(profile.edges) or profile.mean is None:
        return Tails(0.0, 0.0)
    edges, share = np.asarray(profile.edges), np.asarray(profile.counts) / max(profile.present, 1)
    below = max(edges[0] - (profile.minimum or 0.0), 0.0) if share[0] else 0.0
    above = max((profile.maximum or 0.0) - edges[-1], 0.0) if share[-1] else 0.0
    lower, upper = share[0] * below, share[-1] * above
    middle = float(np.sum(share[1:-1] * (edges[:-1] + edges[1:]) / 2))
    evenly = middle + share[0] * edges[0] + share[-1] * edges[-1] + (upper - lower) / 2
    reach = lower + upper
    moved = (profile.mean - evenly) / reach if reach > 0 else 0.0
    return Tails(
        float(np.clip(lower * (0.5 - moved), 0.0, lower)),
        float(np.clip(upper * (0.5 + moved), 0.0, upper)),
    )

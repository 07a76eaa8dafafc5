"""Chooses the bin edges of a numeric column: dense where the reference is, and no bin wide.

Deciles are among the edges, and every value that many rows share has a bin of its own. So the gap
between two distribution functions, measured at the edges, is off by at most the largest share of
the reference in one other bin, about 1/120. Where the reference is thin, edges lie evenly, so that
changes there are found too; beyond its ends they lie farther and farther apart. If only a sample of
the reference is known, temporary edges lie close together around its deciles: see
`sampled_deciles`.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.frequent_values import FrequentValues
from trimtab.detection.profiles.window_profile import MAX_BINS

COARSE_BINS: Final = 10
"""Coarse bins: the usual ten of the population stability index."""
QUANTILE_BINS: Final = 120
"""Quantile bins of a column with more distinct values than bins; a multiple of ten."""
MAX_DISTINCT_FOR_EXACT_EDGES: Final = 180
"""Distinct values up to which each one is an edge."""
DECILE_MARGIN_STANDARD_ERRORS: Final = 4.0
"""How far the decile of all rows may lie from that of a sample, in standard errors of its rank."""
TAIL_QUANTILES: Final = (1e-4, 1e-3, 1 - 1e-3, 1 - 1e-4)
CORE_QUANTILES: Final = (5e-3, 1 - 5e-3)
"""Quantiles that bound the core, in which edges lie evenly."""
RESERVED_CORE_EDGES: Final = 20
"""Edges that are kept free to fill gaps in the core."""
TAIL_EDGE_POSITIONS: Final = 0.6 ** np.arange(1, 9)
"""Positions of edges in each tail, as shares of the way from the core to the end."""
NEAR_EDGE_DISTANCES: Final = np.array([0.1, 0.2, 0.4, 0.8])
"""Distances of the first edges beyond each end, as shares of the core's width."""
FAR_EDGES: Final = 10
"""Further edges beyond each end, so that a window in another unit is still recognised."""
FAR_EDGE_GROWTH: Final = 3.0
"""How many times farther each of them lies than the one before: 3 ** 10 is 59,000."""
_BISECTION_STEPS: Final = 30


class BinEdges(NamedTuple):
    """The bin edges of a numeric column."""

    edges: tuple[float, ...]
    """Ascending; at most 255 that are not temporary."""
    cuts: tuple[int, ...]
    """Positions of the edges that bound the coarse bins."""
    temporary: tuple[int, ...] = ()
    """Positions of the edges that are removed once the deciles of all rows are known."""


def choose_edges(values: FloatArray, *, temporary: int = 0) -> BinEdges:
    """Return edges for a reference of these finite values, in any order; none for no value.

    If the values are a random sample of a reference, `temporary` is the number of edges around each
    decile: the more, the fewer values lie between two of them, among which the decile of all rows
    is found.
    """
    if not len(values):
        return BinEdges((), ())
    with np.errstate(over="ignore", invalid="ignore"):
        return _choose_sorted_edges(np.sort(values), temporary)


def _choose_sorted_edges(ordered: FloatArray, temporary: int) -> BinEdges:
    most = MAX_BINS - 1 - (COARSE_BINS - 1 if temporary else 0)
    first = np.concatenate([ordered[:1] < np.inf, ordered[1:] != ordered[:-1]])
    distinct = ordered[first]
    has_few_values = len(distinct) <= MAX_DISTINCT_FOR_EXACT_EDGES
    counts = np.diff(np.flatnonzero(first), append=len(ordered))
    by_frequency = np.argsort(-counts, kind="stable")
    if not has_few_values:
        by_frequency = by_frequency[counts[by_frequency] > len(ordered) / QUANTILE_BINS]
    frequent = FrequentValues(distinct, by_frequency)
    cuts = _choose_decile_edges(ordered, frequent)
    inner = distinct if has_few_values else _choose_quantile_edges(ordered)
    more = np.concatenate([inner, _choose_tail_edges(ordered), _choose_outer_edges(ordered)])
    edges = np.union1d(cuts, frequent.move_to_upper_ends(more))
    edges = frequent.add_bins(edges, most=most - RESERVED_CORE_EDGES)
    core = frequent.move_to_upper_ends(_compute_lower_quantiles(ordered, CORE_QUANTILES))
    edges = _split_widest_gaps(edges, *core, most=most)
    near = np.unique(frequent.move_to_upper_ends(_choose_temporary_edges(ordered, temporary)))
    all_edges = np.union1d(edges, near)
    extra = np.searchsorted(all_edges, np.setdiff1d(near, edges))
    positions = np.searchsorted(all_edges, cuts)
    return BinEdges(tuple(all_edges.tolist()), tuple(positions.tolist()), tuple(extra.tolist()))


def _compute_lower_quantiles(ordered: FloatArray, fractions: npt.ArrayLike) -> FloatArray:
    """Return quantiles that are values themselves: the nearest value below."""
    indices = np.floor((len(ordered) - 1) * np.asarray(fractions, dtype="float64"))
    quantiles: FloatArray = ordered[indices.astype("int64")]
    return quantiles


def _split_widest_gaps(edges: FloatArray, low: float, high: float, *, most: int) -> FloatArray:
    """Return up to `most` edges: the given ones, and more in the widest gaps from low to high."""
    core = edges[(edges >= low) & (edges <= high)]
    room, gaps = most - len(edges), np.diff(core)
    if not len(gaps) or not np.isfinite(gaps).all():
        return edges
    narrow, wide = 0.0, float(gaps.max())
    for _ in range(_BISECTION_STEPS):
        width = (narrow + wide) / 2
        fits = width > 0.0 and np.sum(np.maximum(np.ceil(gaps / width) - 1, 0)) <= room
        narrow, wide = (narrow, width) if fits else (width, wide)
    added = np.maximum(np.ceil(gaps / wide).astype("int64") - 1, 0)
    gap = np.repeat(np.arange(len(gaps)), added)
    step = np.arange(len(gap)) - np.repeat(np.cumsum(added) - added, added) + 1
    between = core[gap] + gaps[gap] * (step / (added[gap] + 1))
    return np.unique(np.concatenate([edges, between]))


def _choose_decile_edges(ordered: FloatArray, frequent: FrequentValues) -> FloatArray:
    if ordered[0] == ordered[-1]:
        return np.unique(frequent.bins)
    ranks = [(len(ordered) - 1) * tenth // COARSE_BINS for tenth in range(1, COARSE_BINS)]
    return np.unique(frequent.move_to_upper_ends(ordered[ranks]))


def _choose_quantile_edges(ordered: FloatArray) -> FloatArray:
    fractions = [*np.linspace(0, 1, QUANTILE_BINS + 1), *TAIL_QUANTILES]
    return _compute_lower_quantiles(ordered, fractions)


def _choose_tail_edges(ordered: FloatArray) -> FloatArray:
    """Return edges in the tails, denser towards the core."""
    low, high = _compute_lower_quantiles(ordered, CORE_QUANTILES)
    below = low - (low - ordered[0]) * TAIL_EDGE_POSITIONS
    above = high + (ordered[-1] - high) * TAIL_EDGE_POSITIONS
    edges: FloatArray = np.concatenate([below, above])
    return edges[np.isfinite(edges)]


def _choose_temporary_edges(ordered: FloatArray, per_decile: int) -> FloatArray:
    """Return values around each decile of a sample."""
    tenths = np.arange(1, COARSE_BINS)[:, None] / COARSE_BINS
    errors = np.sqrt(tenths * (1 - tenths) / len(ordered))
    near = tenths + DECILE_MARGIN_STANDARD_ERRORS * errors * np.linspace(-1.0, 1.0, per_decile)
    return np.unique(_compute_lower_quantiles(ordered, np.clip(near, 0.0, 1.0)))


def _choose_outer_edges(ordered: FloatArray) -> FloatArray:
    """Return edges beyond the ends in growing steps; positive values are followed towards zero."""
    low, high = float(ordered[0]), float(ordered[-1])
    steps = FAR_EDGE_GROWTH ** np.arange(1, FAR_EDGES + 1)
    unit = (high - low) / COARSE_BINS or abs(low) / COARSE_BINS or 1.0
    above = high / steps if high < 0.0 else high + unit * steps
    below = low / steps if low > 0.0 else low - unit * steps
    left, right = _compute_lower_quantiles(ordered, CORE_QUANTILES)
    near = (right - left) * NEAR_EDGE_DISTANCES
    edges = np.concatenate([below, low - near, high + near, above])
    finite: FloatArray = edges[np.isfinite(edges)]
    return finite

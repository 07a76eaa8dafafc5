"""Where the bins of a numeric column part: dense where the reference is, and none of them wide.

Deciles are among the edges, and every value that many rows share has a bin of its own, so that the
gap between two distribution functions is off by at most the largest share of the reference in one
other bin, about 1/120. Where the reference is thin, edges lie evenly, so that what moves there is
found too; beyond its ends they lie ever farther apart. Where only a sample of the reference is
known, edges lie close together around its deciles until those of all rows are known.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from trimtab.detection.profiles.arrays import FloatArray, IntArray
from trimtab.detection.profiles.window_profile import MAX_BINS

COARSE_BINS: Final = 10
"""Coarse bins: the usual ten of the population stability index."""
QUANTILE_BINS: Final = 120
"""Quantile bins where there are more different values than bins; a multiple of ten."""
DECILE_MARGIN_STANDARD_ERRORS: Final = 4.0
"""How far from a decile of a sample that of all rows may lie, in standard errors of its rank."""
MAX_DISTINCT_FOR_EXACT_EDGES: Final = 180
"""Up to so many different values each is an edge."""
TAIL_QUANTILES: Final = (1e-4, 1e-3, 1 - 1e-3, 1 - 1e-4)
CORE_QUANTILES: Final = (5e-3, 1 - 5e-3)
"""Quantiles between which edges are to lie evenly."""
RESERVED_EVEN_EDGES: Final = 20
"""Edges kept for that."""
TAIL_EDGE_FRACTIONS: Final = 0.6 ** np.arange(1, 9)
"""Where in each tail beyond them edges lie, as parts of the way to its end."""
NEAR_EDGE_FRACTIONS: Final = np.array([0.1, 0.2, 0.4, 0.8])
"""How far beyond each end edges lie, as parts of the middle between those quantiles."""
FAR_EDGES_PER_SIDE: Final = 10
"""Further edges beyond each end, so that a window in another unit is still told apart."""
FREQUENT_VALUE_TOLERANCE: Final = 1e-6
"""How far, as a part of it, a value may lie from a frequent one and still share its bin: what is
rounded to 32 bits, or computed in another order, is no other value."""
FAR_EDGE_GROWTH: Final = 3.0
"""How much farther each of them lies than the one before: 3 ** 10 is 59,000."""


class BinEdges(NamedTuple):
    """The edges of a column."""

    edges: tuple[float, ...]
    """Ascending; at most 255 that are not spare."""
    cuts: tuple[int, ...]
    """Places of those that part the coarse bins."""
    spare: tuple[int, ...] = ()
    """Places of those that go once the deciles are known: see `settled`."""


def choose_edges(values: FloatArray, *, spare: int = 0) -> BinEdges:
    """Edges for a reference of these finite values, in any order; none for none.

    Of a fair sample of a reference, with so many `spare` edges around each decile: the more, the
    fewer values lie between two of them, in which that of all rows is to be found.
    """
    if not len(values):
        return BinEdges((), ())
    with np.errstate(over="ignore", invalid="ignore"):
        return _choose_sorted_edges(np.sort(values), spare)


def find_decile_bins(bins: BinEdges, counts: tuple[int, ...]) -> list[tuple[float, float]]:
    """The bins, as (low, high], in which a decile of the rows counted lies and might be an edge.

    Not those that hold more than there is in any bin but that of a frequent value.
    """
    most = 2 * sum(counts) / QUANTILE_BINS
    held = {
        place
        for _, place in _locate_deciles(counts)
        if 0 < place < len(bins.edges) and counts[place] <= most
    }
    ends = [(bins.edges[place - 1], bins.edges[place]) for place in sorted(held)]
    return [(low, high) for low, high in ends if np.nextafter(low, high) < high]


def replace_sampled_deciles(
    bins: BinEdges, counts: tuple[int, ...], near: Sequence[float] = ()
) -> tuple[BinEdges, tuple[int, ...]]:
    """The bins and their counts, once all rows have been counted: deciles are theirs then.

    Exactly, where all values in `brackets` are told; else each is the next edge above it.
    """
    ranks = _locate_deciles(counts)
    upto = dict(zip(bins.edges, np.cumsum(counts).tolist(), strict=False))
    cuts = set() if ranks else {bins.edges[place] for place in bins.cuts}
    values = np.sort(np.asarray(near, dtype="float64"))
    for rank, place in ranks:
        high = bins.edges[min(place, len(bins.edges) - 1)]
        low = bins.edges[place - 1] if place else -np.inf
        inside = values[(values > low) & (values <= high)]
        if len(inside) == counts[place]:
            below = upto.get(low, 0)
            high = float(inside[rank - below - 1])
            upto[high] = below + int(np.searchsorted(inside, high, side="right"))
        cuts.add(high)
    spare = {bins.edges[place] for place in bins.spare}
    edges = sorted((set(bins.edges) - spare) | cuts)
    sums = np.diff([upto[edge] for edge in edges], prepend=0, append=sum(counts))
    places = tuple(place for place, edge in enumerate(edges) if edge in cuts)
    return BinEdges(tuple(edges), places), tuple(sums.tolist())


def _locate_deciles(counts: tuple[int, ...]) -> list[tuple[int, int]]:
    """The rank of each decile, and the bin in which it lies; none of rows that fill one bin."""
    if np.count_nonzero(counts) <= 1:
        return []
    upto = np.cumsum(counts)
    ranks = [(int(upto[-1]) - 1) * tenth // COARSE_BINS + 1 for tenth in range(1, COARSE_BINS)]
    return list(zip(ranks, np.searchsorted(upto, ranks, side="left").tolist(), strict=True))


def _choose_sorted_edges(ordered: FloatArray, spare: int) -> BinEdges:
    most = MAX_BINS - 1 - (COARSE_BINS - 1 if spare else 0)
    first = np.concatenate([ordered[:1] < np.inf, ordered[1:] != ordered[:-1]])
    known = ordered[first]
    few = len(known) <= MAX_DISTINCT_FOR_EXACT_EDGES
    counts = np.diff(np.flatnonzero(first), append=len(ordered))
    often = np.argsort(-counts, kind="stable")
    if not few:
        often = often[counts[often] > len(ordered) / QUANTILE_BINS]
    atoms = FrequentValues(known, often)
    cuts = _choose_decile_edges(ordered, atoms)
    inner = known if few else _choose_quantile_edges(ordered)
    more = np.concatenate([inner, _choose_tail_edges(ordered), _choose_outer_edges(ordered)])
    found = np.union1d(cuts, atoms.above(more))
    found = _add_frequent_values(found, atoms, most=most - RESERVED_EVEN_EDGES)
    found = _split_widest_gaps(
        found, *atoms.above(_compute_lower_quantiles(ordered, CORE_QUANTILES)), most=most
    )
    near = np.unique(atoms.above(_choose_temporary_edges(ordered, spare)))
    edges = np.union1d(found, near)
    extra = np.searchsorted(edges, np.setdiff1d(near, found))
    places = np.searchsorted(edges, cuts)
    return BinEdges(tuple(edges.tolist()), tuple(places.tolist()), tuple(extra.tolist()))


def _compute_lower_quantiles(ordered: FloatArray, fractions: npt.ArrayLike) -> FloatArray:
    """Quantiles that are values themselves."""
    places = np.floor((len(ordered) - 1) * np.asarray(fractions, dtype="float64"))
    found: FloatArray = ordered[places.astype("int64")]
    return found


class FrequentValues:
    """Values that many rows share, each with the ends of its bin."""

    def __init__(self, known: FloatArray, often: IntArray) -> None:
        """Of different values, ascending, those at the places `often`."""
        places = np.sort(often)
        values = known[places]
        before = np.where(places > 0, known[places - 1], -np.inf)
        after = np.where(places < len(known) - 1, known[(places + 1) % len(known)], np.inf)
        reach = FREQUENT_VALUE_TOLERANCE * np.abs(values)
        low = values - np.minimum(reach, (values - before) / 2)
        high = values + np.minimum(reach, (after - values) / 2)
        low = np.where(low < values, low, np.nextafter(values, -np.inf))
        low = np.where(np.isfinite(low), low, values)
        high = np.where(high < after, high, values)
        self._values, self._tops = values, high
        ranks = np.searchsorted(places, often)
        self.pairs = np.column_stack([low, high])[ranks]
        """(low, high] of each, in the order given."""

    def above(self, edges: FloatArray) -> FloatArray:
        """The edges, those at one of the values moved to the upper end of its bin."""
        if not len(self._values):
            return edges
        places = np.minimum(np.searchsorted(self._values, edges), len(self._values) - 1)
        return np.where(self._values[places] == edges, self._tops[places], edges)


def _add_frequent_values(found: FloatArray, atoms: FrequentValues, *, most: int) -> FloatArray:
    """With a bin for each of as many values, in the order given, as there is room for."""
    pairs = atoms.pairs

    def size(many: int) -> int:
        return len(np.union1d(found, pairs[:many]))

    many = bisect_right(range(len(pairs) + 1), most, key=size) - 1
    return np.union1d(found, pairs[: max(many, 0)])


def _split_widest_gaps(found: FloatArray, low: float, high: float, *, most: int) -> FloatArray:
    """With as many more edges as there may be, each in the widest gap from `low` to `high`."""
    core = found[(found >= low) & (found <= high)]
    room, gaps = most - len(found), np.diff(core)
    if not len(gaps) or not np.isfinite(gaps).all():
        return found
    narrow, wide = 0.0, float(gaps.max())
    for _ in range(_BISECTION_STEPS):
        step = (narrow + wide) / 2
        fits = step > 0.0 and np.sum(np.maximum(np.ceil(gaps / step) - 1, 0)) <= room
        narrow, wide = (narrow, step) if fits else (step, wide)
    more = np.maximum(np.ceil(gaps / wide).astype("int64") - 1, 0)
    start = np.repeat(np.arange(len(gaps)), more)
    which = np.arange(len(start)) - np.repeat(np.cumsum(more) - more, more) + 1
    between = core[start] + gaps[start] * (which / (more[start] + 1))
    return np.unique(np.concatenate([found, between]))


_BISECTION_STEPS: Final = 30


def _choose_tail_edges(ordered: FloatArray) -> FloatArray:
    """Edges in the tails, denser towards the middle."""
    low, high = _compute_lower_quantiles(ordered, CORE_QUANTILES)
    below, above = (
        low - (low - ordered[0]) * TAIL_EDGE_FRACTIONS,
        high + (ordered[-1] - high) * TAIL_EDGE_FRACTIONS,
    )
    tapered: FloatArray = np.concatenate([below, above])
    return tapered[np.isfinite(tapered)]


def _choose_decile_edges(ordered: FloatArray, atoms: FrequentValues) -> FloatArray:
    if ordered[0] == ordered[-1]:
        return np.unique(atoms.pairs)
    ranks = [(len(ordered) - 1) * tenth // COARSE_BINS for tenth in range(1, COARSE_BINS)]
    return np.unique(atoms.above(ordered[ranks]))


def _choose_quantile_edges(ordered: FloatArray) -> FloatArray:
    return _compute_lower_quantiles(
        ordered, [*np.linspace(0, 1, QUANTILE_BINS + 1), *TAIL_QUANTILES]
    )


def _choose_temporary_edges(ordered: FloatArray, many: int) -> FloatArray:
    """So many values around each decile of a sample."""
    tenths = np.arange(1, COARSE_BINS)[:, None] / COARSE_BINS
    errors = np.sqrt(tenths * (1 - tenths) / len(ordered))
    near = tenths + DECILE_MARGIN_STANDARD_ERRORS * errors * np.linspace(-1.0, 1.0, many)
    return np.unique(_compute_lower_quantiles(ordered, np.clip(near, 0.0, 1.0)))


def _choose_outer_edges(ordered: FloatArray) -> FloatArray:
    """Beyond the ends in growing steps; values above zero are followed down towards it."""
    low, high = float(ordered[0]), float(ordered[-1])
    steps = FAR_EDGE_GROWTH ** np.arange(1, FAR_EDGES_PER_SIDE + 1)
    unit = (high - low) / COARSE_BINS or abs(low) / COARSE_BINS or 1.0
    above = high / steps if high < 0.0 else high + unit * steps
    below = low / steps if low > 0.0 else low - unit * steps
    left, right = _compute_lower_quantiles(ordered, CORE_QUANTILES)
    near = (right - left) * NEAR_EDGE_FRACTIONS
    outer = np.concatenate([below, low - near, high + near, above])
    kept: FloatArray = outer[np.isfinite(outer)]
    return kept

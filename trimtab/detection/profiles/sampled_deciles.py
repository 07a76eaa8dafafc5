"""Replaces the deciles of a sample by those of all rows, once all rows have been counted.

While only a sample of a reference is known, temporary edges lie close together around its deciles.
The count of all rows shows between which two of them each decile lies.
"""

from collections.abc import Sequence

import numpy as np

from trimtab.detection.profiles.binning import COARSE_BINS, QUANTILE_BINS, BinEdges


def find_decile_bins(bins: BinEdges, counts: tuple[int, ...]) -> list[tuple[float, float]]:
    """Return the bins, as (low, high], whose values are needed to find a decile exactly.

    Bins that hold more than any bin but that of a frequent value are not among them.
    """
    most = 2 * sum(counts) / QUANTILE_BINS
    needed = {
        index
        for _, index in _locate_deciles(counts)
        if 0 < index < len(bins.edges) and counts[index] <= most
    }
    ends = [(bins.edges[index - 1], bins.edges[index]) for index in sorted(needed)]
    return [(low, high) for low, high in ends if np.nextafter(low, high) < high]


def replace_sampled_deciles(
    bins: BinEdges, counts: tuple[int, ...], near: Sequence[float] = ()
) -> tuple[BinEdges, tuple[int, ...]]:
    """Return the bins and their counts with the deciles of all counted rows as `cuts`.

    They are exact where `near` holds all values in `find_decile_bins`; otherwise each is the next
    edge above the decile.
    """
    deciles = _locate_deciles(counts)
    below = dict(zip(bins.edges, np.cumsum(counts).tolist(), strict=False))
    cuts = set() if deciles else {bins.edges[index] for index in bins.cuts}
    values = np.sort(np.asarray(near, dtype="float64"))
    for rank, index in deciles:
        high = bins.edges[min(index, len(bins.edges) - 1)]
        low = bins.edges[index - 1] if index else -np.inf
        inside = values[(values > low) & (values <= high)]
        if len(inside) == counts[index]:
            start = below.get(low, 0)
            high = float(inside[rank - start - 1])
            below[high] = start + int(np.searchsorted(inside, high, side="right"))
        cuts.add(high)
    temporary = {bins.edges[index] for index in bins.temporary}
    edges = sorted((set(bins.edges) - temporary) | cuts)
    new_counts = np.diff([below[edge] for edge in edges], prepend=0, append=sum(counts))
    positions = tuple(index for index, edge in enumerate(edges) if edge in cuts)
    return BinEdges(tuple(edges), positions), tuple(new_counts.tolist())


def _locate_deciles(counts: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return each decile's rank and the index of its bin; none if all rows are in one bin."""
    if np.count_nonzero(counts) <= 1:
        return []
    below = np.cumsum(counts)
    last = int(below[-1]) - 1
    ranks = [last * tenth // COARSE_BINS + 1 for tenth in range(1, COARSE_BINS)]
    return list(zip(ranks, np.searchsorted(below, ranks, side="left").tolist(), strict=True))

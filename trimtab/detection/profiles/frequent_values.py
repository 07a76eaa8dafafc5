"""Values that many rows share: each gets a bin of its own, with a little room for rounding."""

from bisect import bisect_right
from typing import Final

import numpy as np

from trimtab.detection.profiles.arrays import FloatArray, IntArray

FREQUENT_VALUE_TOLERANCE: Final = 1e-6
"""How far a value may lie from a frequent one, as a share of it, and still be in its bin: numbers
that are rounded to 32 bits, or computed in another order, are no other numbers."""


class FrequentValues:
    """Frequent values of a column, each with the ends of its bin."""

    def __init__(self, distinct: FloatArray, by_frequency: IntArray) -> None:
        """Choose from these distinct values, ascending, by index, the most frequent first."""
        order = np.sort(by_frequency)
        values = distinct[order]
        before = np.where(order > 0, distinct[order - 1], -np.inf)
        after = np.where(order < len(distinct) - 1, distinct[(order + 1) % len(distinct)], np.inf)
        reach = FREQUENT_VALUE_TOLERANCE * np.abs(values)
        low = values - np.minimum(reach, (values - before) / 2)
        high = values + np.minimum(reach, (after - values) / 2)
        low = np.where(low < values, low, np.nextafter(values, -np.inf))
        low = np.where(np.isfinite(low), low, values)
        high = np.where(high < after, high, values)
        self._values, self._upper_ends = values, high
        ranks = np.searchsorted(order, by_frequency)
        self.bins = np.column_stack([low, high])[ranks]
        """The (low, high] bin of each value, the most frequent first; shape (values, 2)."""

    def move_to_upper_ends(self, edges: FloatArray) -> FloatArray:
        """Return the edges, with those at a frequent value moved to the upper end of its bin."""
        if not len(self._values):
            return edges
        nearest = np.minimum(np.searchsorted(self._values, edges), len(self._values) - 1)
        return np.where(self._values[nearest] == edges, self._upper_ends[nearest], edges)

    def add_bins(self, edges: FloatArray, *, most: int) -> FloatArray:
        """Return the edges with those of as many values' bins as fit into `most` edges."""

        def count_edges(values: int) -> int:
            return len(np.union1d(edges, self.bins[:values]))

        fitting = bisect_right(range(len(self.bins) + 1), most, key=count_edges) - 1
        return np.union1d(edges, self.bins[: max(fitting, 0)])

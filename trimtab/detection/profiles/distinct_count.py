"""Counts different values in fixed space, so that the counts of partitions can be put together.

A multiresolution bitmap (Estan, Varghese and Fisk, 2003): each value is hashed to a number in
[0, 1), and the number to one of 124 cells, each 2 ** (1 / 5) times rarer than the one before. Which
cells were hit is kept, as the bits of one whole number: the union of two tables is the OR of their
bits. The count that makes the bits likeliest is the estimate; its standard error is about 29 %,
up to some 50 million different values. Two different values share the first cells often: fewer
than ten are better counted by the bins of a profile.

The hash of a number is a short chain of IEEE multiplications and additions, which every SQL engine
computes alike; that of a text is taken from its MD5.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from trimtab.detection.profiles.arrays import BoolArray, FloatArray
from trimtab.detection.profiles.categories import hash_texts

SKETCH_CELLS: Final = 124
"""Two words of 62 bits, which fit into a signed 64-bit integer each."""
CELLS_PER_OCTAVE: Final = 5
"""Cells until a cell is half as likely to be hit."""
FIRST_HASH_OFFSET: Final = 0.5
SECOND_HASH_OFFSET: Final = 1.37
HASH_FACTOR: Final = 99733.7
"""Constants of the hash: ((u + FIRST) * (u + SECOND) * STRETCH) mod 1."""
CELL_LOG_FACTOR: Final = -CELLS_PER_OCTAVE / math.log(2)
SKETCH_HASH_DIGITS: Final = 12
"""Leading hexadecimal digits of an MD5 that are made a number."""
_GOLDEN_RATIO: Final = 0.6180339887498949
_GRID_STEPS: Final = 2.0**20
"""Parts that the middle of a column is cut into before hashing."""
_MAX_EXACT_INTEGER: Final = 2.0**52
_MAX_MAGNITUDE: Final = 2.0**1020
"""Differences of such numbers are finite."""

HashRange = tuple[float, float]


class HashGrid(NamedTuple):
    """How a column's values are spread before hashing, taken from the middle of its edges."""

    origin: float
    factor: float
    low: float
    high: float
    """Values beyond these two count as these."""


def compute_hash_range(edges: Sequence[float]) -> HashRange | None:
    """The quartiles of these edges; None for none."""
    quarter = len(edges) // 4
    return (edges[quarter], edges[-1 - quarter]) if edges else None


def make_hash_grid(middle: HashRange | None) -> HashGrid:
    """The grid of a column whose values mostly lie about there."""
    if middle is None:
        return HashGrid(0.0, 1.0, 0.0, 0.0)
    origin, high = middle
    spread = min(high - origin, _MAX_MAGNITUDE) or abs(origin) or 1.0
    factor = min(_GOLDEN_RATIO * _GRID_STEPS / spread, _MAX_MAGNITUDE)
    reach = min(_MAX_EXACT_INTEGER / factor, _MAX_MAGNITUDE)
    return HashGrid(
        origin, factor, max(origin - reach, -_MAX_MAGNITUDE), min(origin + reach, _MAX_MAGNITUDE)
    )


def sketch_numbers(values: FloatArray, middle: HashRange | None) -> str:
    """The sketch of finite numbers, hashed by the grid of that middle."""
    grid = make_hash_grid(middle)
    scaled = (np.maximum(np.minimum(values, grid.high), grid.low) - grid.origin) * grid.factor
    part = scaled - np.floor(scaled)
    mixed = (part + FIRST_HASH_OFFSET) * (part + SECOND_HASH_OFFSET) * HASH_FACTOR
    return _sketch_hashes(mixed - np.floor(mixed))


def sketch_texts(words: Iterable[str]) -> str:
    """The sketch of texts."""
    parts = [int(digest[:SKETCH_HASH_DIGITS], 16) for digest in hash_texts(words)]
    return _sketch_hashes(np.asarray(parts, dtype="float64") / 16.0**SKETCH_HASH_DIGITS)


def encode_sketch(low: int, high: int) -> str:
    """A sketch as it is kept, from its two words of 62 bits."""
    return f"{low | high << SKETCH_CELLS // 2:x}"


def merge_sketches(first: str, second: str) -> str:
    """The sketch of two tables together."""
    return f"{int(first or '0', 16) | int(second or '0', 16):x}"


def estimate_distinct_count(sketch: str) -> float:
    """About how many different values were seen."""
    bits = int(sketch or "0", 16)
    hit = np.array([bits >> place & 1 for place in range(SKETCH_CELLS)], dtype=bool)
    if not hit.any():
        return 0.0
    low, high = 0.0, 2.0**40
    for _ in range(_BISECTION_STEPS):
        middle = (low + high) / 2.0 if low else math.sqrt(high)
        low, high = (
            (middle, high) if _differentiate_log_likelihood(middle, hit) > 0.0 else (low, middle)
        )
    return (low + high) / 2.0


_BISECTION_STEPS: Final = 100
_CELL_PROBABILITIES: Final = np.append(
    2.0 ** (-np.arange(SKETCH_CELLS - 1) / CELLS_PER_OCTAVE)
    * (1.0 - 2.0 ** (-1.0 / CELLS_PER_OCTAVE)),
    2.0 ** (-(SKETCH_CELLS - 1) / CELLS_PER_OCTAVE),
)
"""How likely a value is to hit each cell; the last one takes all that is rarer."""


def _differentiate_log_likelihood(count: float, hit: BoolArray) -> float:
    """Of the log-likelihood of `count` different values."""
    with np.errstate(over="ignore", divide="ignore"):
        return float(
            (_CELL_PROBABILITIES[hit] / np.expm1(count * _CELL_PROBABILITIES[hit])).sum()
            - _CELL_PROBABILITIES[~hit].sum()
        )


def _sketch_hashes(hashed: FloatArray) -> str:
    cells = np.minimum(np.floor(np.log(1.0 - hashed) * CELL_LOG_FACTOR), SKETCH_CELLS - 1)
    return f"{sum(1 << int(cell) for cell in np.unique(cells)):x}"

"""Standard error of any figure of some rows by leaving out one stretch of time after the other."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from trimtab.detection.profiles.arrays import BoolArray

JACKKNIFE_BLOCKS: Final = 20
"""Stretches of time: rows of one may resemble each other, as long as the stretches do not."""
MIN_JACKKNIFE_BLOCKS: Final = 10
"""Stretches in which the figure must be defined for an error to be known."""


def compute_jackknife_error(
    compute: Callable[[BoolArray], float | None], rows: int
) -> float | None:
    """Return the delete-one-block jackknife error (Kuensch, 1989); None if it is not known.

    `compute` returns the figure of the rows that the mask keeps; rows are in the order of time.
    """
    if rows < JACKKNIFE_BLOCKS:
        return None
    block = np.arange(rows) * JACKKNIFE_BLOCKS // rows
    figures = [compute(block != index) for index in range(JACKKNIFE_BLOCKS)]
    known = np.array([figure for figure in figures if figure is not None])
    if len(known) < MIN_JACKKNIFE_BLOCKS:
        return None
    squares = float(((known - known.mean()) ** 2).mean())
    return math.sqrt((len(known) - 1) * squares)

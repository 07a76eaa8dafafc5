"""Tests whether a share of rows rose by more than chance explains."""

import math
from typing import Final

from trimtab.detection.drift.tail_probabilities import compute_binomial_tail

MIN_RISE_STANDARD_ERRORS: Final = 4.0
"""Standard errors by which a share must rise to count as risen."""
MAX_BINOMIAL_PROBABILITY: Final = 1e-4
"""Largest probability of as many rows or more at which the share counts as risen. It matters for
small counts, where four standard errors are reached soon."""


def two_proportion_test(
    count: float, rows: float, reference_count: float, reference_rows: float
) -> bool:
    """Return whether `count` of `rows` is a larger share than the reference's, beyond chance.

    It must pass a two-proportion z-test with pooled variance and a binomial test.
    """
    rows, reference_rows = max(rows, 1), max(reference_rows, 1)
    rise = count / rows - reference_count / reference_rows
    pooled = min((count + reference_count) / (rows + reference_rows), 1.0)
    error = (pooled * (1.0 - pooled) * (1.0 / rows + 1.0 / reference_rows)) ** 0.5
    if rise <= 0.0 or rise < MIN_RISE_STANDARD_ERRORS * error:
        return False
    expected = min((reference_count + 1.0) / (reference_rows + 1.0), 1.0)
    as_many = compute_binomial_tail(round(count), round(rows), expected)
    return as_many < MAX_BINOMIAL_PROBABILITY


def compute_log_fisher_probability(rows: int, reference_count: int, reference_rows: int) -> float:
    """Return the log of the probability that all `rows` are of a kind, by Fisher's exact test.

    `reference_count` of the `reference_rows` are of that kind. Given how many rows of both samples
    are of that kind, it is the share of the ways to choose `rows` of them in which all are. Unlike
    a binomial test it allows for the reference being a sample too (Fisher, 1922).
    """
    ways = math.lgamma(reference_count + rows + 1) - math.lgamma(reference_count + 1)
    all_ways = math.lgamma(reference_rows + rows + 1) - math.lgamma(reference_rows + 1)
    return ways - all_ways

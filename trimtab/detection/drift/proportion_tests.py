"""What chance alone explains of a window's faults, when two windows are drawn from one law."""

from typing import Final

from scipy.special import bdtrc, gammaln

SIGMAS: Final = 4.0
"""Standard errors beyond which a share has risen."""
RARELY: Final = 1e-4
"""Chance below which so many rows with something wrong are not expected: matters where they are
few, of which four standard errors are soon reached."""


def rose(now: float, rows: float, before: float, rows_before: float) -> bool:
    """Whether a count `now` of `rows` is a larger share than `before`, and not by chance."""
    rows, rows_before = max(rows, 1), max(rows_before, 1)
    rise = now / rows - before / rows_before
    pooled = min((now + before) / (rows + rows_before), 1.0)
    error = (pooled * (1.0 - pooled) * (1.0 / rows + 1.0 / rows_before)) ** 0.5
    if rise <= 0.0 or rise < SIGMAS * error:
        return False
    expected = min((before + 1.0) / (rows_before + 1.0), 1.0)
    return bool(bdtrc(round(now) - 1, round(rows), expected) < RARELY)


def log_chance_of_all(rows: int, before: int, rows_before: int) -> float:
    """Log of the chance that all of `rows` are of a kind, of which `before` of the earlier are.

    Fisher's exact test: given how many of both are of that kind, in how many of the ways to choose
    `rows` among them all are. It knows that the earlier share is itself a sample's.
    """
    ways = gammaln(before + rows + 1) - gammaln(before + 1)
    every = gammaln(rows_before + rows + 1) - gammaln(rows_before + 1)
    return float(ways - every)

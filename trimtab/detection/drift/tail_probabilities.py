"""Tail probabilities of the distributions that tests on profiles need, and nothing more.

SciPy has them too, but takes 140 MB and a tenth of a second to import: everything else that
comparing tables needs does without it (docs/adr/0023). The tests check these against SciPy's.
"""

import math
from collections.abc import Iterator
from itertools import count
from typing import Final

_SMALLEST_TERM: Final = 1e-17
"""Share of a sum at which a further term of a falling series no longer changes it."""
_CERTAIN: Final = 0.05
"""Statistic below which Kolmogorov's tail is 1 in double precision."""
_SERIES_BORDER: Final = 1.0
"""Statistic from which Kolmogorov's alternating series converges faster than its transform."""
_SERIES_TERMS: Final = 6
"""Terms after which either of Kolmogorov's series has converged to double precision."""


def compute_chi_square_tail(statistic: float, degrees: int) -> float:
    """Return the probability that a chi-squared variable with `degrees` is at least `statistic`.

    The finite series for whole degrees of freedom (Abramowitz and Stegun, 1964, 26.4.4, 26.4.5).
    """
    half = statistic / 2
    if half <= 0.0:
        return 1.0
    odd = degrees % 2
    exponents = (index + odd / 2 for index in range((degrees - odd) // 2))
    terms = (math.exp(each * math.log(half) - half - math.lgamma(each + 1)) for each in exponents)
    head = math.erfc(math.sqrt(half)) if odd else 0.0
    return min(math.fsum([head, *terms]), 1.0)


def compute_kolmogorov_tail(statistic: float) -> float:
    """Return the probability that Kolmogorov's limit distribution is at least `statistic`.

    The alternating series (Smirnov, 1948), and its theta transform (Kolmogorov, 1933) where that
    converges faster.
    """
    if statistic < _CERTAIN:
        return 1.0
    if statistic < _SERIES_BORDER:
        rate = (math.pi / statistic) ** 2 / 8
        odds = range(1, 2 * _SERIES_TERMS, 2)
        below = math.fsum(math.exp(-rate * odd * odd) for odd in odds)
        return max(1.0 - math.sqrt(2 * math.pi) / statistic * below, 0.0)
    terms = range(1, _SERIES_TERMS + 1)
    return 2 * math.fsum(-((-1) ** term) * math.exp(-2 * (term * statistic) ** 2) for term in terms)


def compute_binomial_tail(successes: int, trials: int, probability: float) -> float:
    """Return the probability of at least so many successes in independent trials.

    The sum of the smaller tail's terms, each from the one before it. Its relative error grows with
    the number of trials: 1e-7 at ten million.
    """
    if successes <= 0 or probability >= 1.0:
        return float(successes <= trials)
    if successes > trials or probability <= 0.0:
        return 0.0
    if successes > trials * probability:
        return _sum_from(successes, trials, probability)
    return 1.0 - _sum_from(trials - successes + 1, trials, 1.0 - probability)


def _sum_from(successes: int, trials: int, probability: float) -> float:
    """Return the sum of the binomial terms from `successes` on, which lie above the mean."""
    total = 0.0
    for term in _binomial_terms(successes, trials, probability):
        total += term
        if term <= total * _SMALLEST_TERM:
            break
    return total


def _binomial_terms(successes: int, trials: int, probability: float) -> Iterator[float]:
    """Yield the probabilities of exactly so many successes, and of each higher number."""
    log_ways = (
        math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    )
    log_odds = math.log(probability) - math.log1p(-probability)
    term = math.exp(log_ways + successes * log_odds + trials * math.log1p(-probability))
    for reached in count(successes):
        yield term
        term *= (trials - reached) / (reached + 1) * math.exp(log_odds)

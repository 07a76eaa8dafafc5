"""Significance tests on profiles: whether chance explains that a column moved.

`scipy.stats` and `statsmodels` offer the same tests, but take a second to import. These few lines
give the same figures, as the tests check.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Correction
from trimtab.detection.drift.tail_probabilities import (
    compute_chi_square_tail,
    compute_kolmogorov_tail,
)
from trimtab.detection.drift.wasserstein import compute_kolmogorov_distance
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.window_profile import ColumnProfile

MIN_EXPECTED_COUNT: Final = 5.0
"""Expected count below which a category is pooled for the chi-square test (Cochran, 1954)."""


class SignificanceResult(NamedTuple):
    """The result of a significance test."""

    name: Literal["ks", "chi2"]
    statistic: float
    p_value: float
    """Not adjusted for the number of columns."""


def run_significance_test(reference: ColumnProfile, current: ColumnProfile) -> SignificanceResult:
    """Run the test that suits the column's kind.

    Both profiles must hold values and be counted over the same bins.
    """
    if reference.column.kind is FeatureKind.NUMERIC:
        return run_kolmogorov_smirnov_test(reference, current)
    return run_chi_square_test(np.array([reference.counts, current.counts], dtype="float64"))


def run_kolmogorov_smirnov_test(
    reference: ColumnProfile, current: ColumnProfile
) -> SignificanceResult:
    """Run the two-sample Kolmogorov-Smirnov test on the fine bins.

    The test is conservative, because it sees the gap between the distributions at bin edges only.
    The p-value is Kolmogorov's limit with the small-sample correction of Vrbik (2018).
    """
    gap = compute_kolmogorov_distance(reference, current)
    rows = (
        reference.value_count * current.value_count / (reference.value_count + current.value_count)
    )
    scaled = np.sqrt(rows) * gap
    corrected = scaled + 1 / (6 * np.sqrt(rows)) + (scaled - 1) / (4 * rows)
    p_value = compute_kolmogorov_tail(float(corrected)) if gap else 1.0
    return SignificanceResult("ks", gap, p_value)


def run_chi_square_test(counts: FloatArray) -> SignificanceResult:
    """Run Pearson's (1900) chi-square test of homogeneity; rare categories are pooled.

    `counts` has shape (2, categories).
    """
    expected = counts.sum(axis=0) * counts.sum(axis=1).min() / counts.sum()
    rare = expected < MIN_EXPECTED_COUNT
    table = np.column_stack([counts[:, ~rare], counts[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] == 1:
        return SignificanceResult("chi2", 0.0, 1.0)
    fair = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(((table - fair) ** 2 / fair).sum())
    p_value = compute_chi_square_tail(statistic, table.shape[1] - 1)
    return SignificanceResult("chi2", statistic, p_value)


def adjust_p_values(p_values: Sequence[float], correction: Correction) -> tuple[float, ...]:
    """Return the p-values adjusted for their number, in the order given.

    Benjamini and Hochberg (1995) bound the share of false discoveries, Holm (1979) the probability
    of a single one.
    """
    raw = np.asarray(p_values, dtype="float64")
    order, count = np.argsort(raw), len(raw)
    if correction is Correction.HOLM:
        raised = np.maximum.accumulate(raw[order] * np.arange(count, 0, -1))
    else:
        scaled = raw[order] * count / np.arange(1, count + 1)
        raised = np.minimum.accumulate(scaled[::-1])[::-1]
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(raised, 1.0)
    return tuple(adjusted.tolist())

"""Whether chance explains that a column moved: tests on profiles, adjusted for their number.

What `scipy.stats` and `statsmodels` offer for this costs a second to import; these few lines on
`scipy.special` give the same figures, which the tests hold.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
from scipy.special import chdtrc, kolmogorov

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Correction
from trimtab.detection.drift.effect_sizes import Shares
from trimtab.detection.drift.wasserstein import cumulative_gap
from trimtab.detection.profiles.window_profile import ColumnProfile

FEWEST_EXPECTED: Final = 5.0
"""Expected count below which a category is pooled for the chi-square test (Cochran, 1954)."""


class Tested(NamedTuple):
    """What a significance test said."""

    name: Literal["ks", "chi2"]
    statistic: float
    p_value: float


def significance(reference: ColumnProfile, current: ColumnProfile) -> Tested:
    """The test for the column's kind; both profiles hold values, over the same bins."""
    if reference.column.kind is FeatureKind.NUMERIC:
        return kolmogorov_smirnov(reference, current)
    return chi_square(np.array([reference.counts, current.counts], dtype="float64"))


def kolmogorov_smirnov(reference: ColumnProfile, current: ColumnProfile) -> Tested:
    """Two-sample test on the fine bins; conservative, for it sees the gap at edges only.

    Kolmogorov's limit with the small-sample correction of Vrbik (2018).
    """
    gap = cumulative_gap(reference, current)
    rows = reference.present * current.present / (reference.present + current.present)
    scaled = np.sqrt(rows) * gap
    corrected = scaled + 1 / (6 * np.sqrt(rows)) + (scaled - 1) / (4 * rows)
    p_value = kolmogorov(max(corrected, 0.0)) if gap else 1.0
    return Tested("ks", gap, float(p_value))


def chi_square(counts: Shares) -> Tested:
    """Pearson's (1900) test of homogeneity of two rows of counts; rare categories are pooled."""
    expected = counts.sum(axis=0) * counts.sum(axis=1).min() / counts.sum()
    rare = expected < FEWEST_EXPECTED
    table = np.column_stack([counts[:, ~rare], counts[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] == 1:
        return Tested("chi2", 0.0, 1.0)
    fair = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(((table - fair) ** 2 / fair).sum())
    return Tested("chi2", statistic, float(chdtrc(table.shape[1] - 1, statistic)))


def adjusted(p_values: Sequence[float], correction: Correction) -> tuple[float, ...]:
    """The p-values, each raised for how many there are, in the order given.

    Benjamini and Hochberg (1995) bound the share of false discoveries, Holm (1979) the chance of
    a single one.
    """
    raw = np.asarray(p_values, dtype="float64")
    order, count = np.argsort(raw), len(raw)
    if correction is Correction.HOLM:
        raised = np.maximum.accumulate(raw[order] * np.arange(count, 0, -1))
    else:
        scaled = raw[order] * count / np.arange(1, count + 1)
        raised = np.minimum.accumulate(scaled[::-1])[::-1]
    found = np.empty(count)
    found[order] = np.minimum(raised, 1.0)
    return tuple(found.tolist())

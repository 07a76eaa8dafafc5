"""How far each column moved: an effect size and a test, and drift only where both say so.

A test alone calls every large enough window drifted; an effect size alone calls small windows
drifted by chance.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import stats
from scipy.spatial.distance import jensenshannon

from contracts.base import Fraction, Record
from contracts.drift import FeatureDrift, FeatureKind
from detection.profile import ColumnProfile, WindowProfile, shares

SMALLEST_SHARE: Final = 0.001
"""Emptier bins count as this full: keeps PSI finite, and independent of the sample size."""
FEWEST_VALUES: Final = 30
"""Columns with fewer values on either side are not compared."""
FEWEST_EXPECTED: Final = 5.0
"""Expected count below which a category is pooled for the chi-square test (Cochran, 1954)."""

Shares = npt.NDArray[np.float64]


class Thresholds(Record):
    """When a column counts as drifted."""

    psi: float = Field(default=0.2, ge=0.0)
    """Smallest population stability index; below 0.1 is commonly called stable, from 0.1 to 0.25
    a moderate and above a large shift (Siddiqi, 2006)."""
    p_value: Fraction = 0.01
    """Largest p-value, adjusted for the number of columns (Benjamini and Hochberg, 1995)."""


class Tested(NamedTuple):
    """What a significance test said."""

    name: str
    statistic: float
    p_value: float


def compare(
    reference: WindowProfile, current: WindowProfile, *, thresholds: Thresholds | None = None
) -> tuple[FeatureDrift, ...]:
    """Every column of both profiles, worst first. `current` is counted over `reference`'s bins."""
    limits = thresholds or Thresholds()
    pairs = [
        (before, now)
        for now in current.columns
        if (before := reference.find(now.column.name)) and _comparable(before, now)
    ]
    tests = [_tested(before, now) for before, now in pairs]
    adjusted = stats.false_discovery_control([test.p_value for test in tests]) if tests else ()
    drifts = [
        _drift(before, now, test._replace(p_value=float(p_value)), limits)
        for (before, now), test, p_value in zip(pairs, tests, adjusted, strict=True)
    ]
    return tuple(sorted(drifts, key=lambda each: (-each.drifted, -each.psi, each.name)))


def stability_index(reference: Shares, current: Shares) -> float:
    """Population stability index, in nats: the symmetrised Kullback-Leibler divergence."""
    before, now = np.maximum(reference, SMALLEST_SHARE), np.maximum(current, SMALLEST_SHARE)
    return float(np.sum((now - before) * np.log(now / before)))


def kolmogorov_smirnov(reference: ColumnProfile, current: ColumnProfile) -> Tested:
    """Two-sample test on the binned counts; conservative, for it sees the gap at edges only."""
    gap = np.abs(np.cumsum(shares(reference)) - np.cumsum(shares(current))).max()
    effective = reference.present * current.present / (reference.present + current.present)
    return Tested("ks", float(gap), float(stats.kstwobign.sf(np.sqrt(effective) * gap)))


def chi_square(reference: ColumnProfile, current: ColumnProfile) -> Tested:
    """Two-sample test of homogeneity; rare categories are pooled."""
    table = np.array([reference.counts, current.counts], dtype="float64")
    expected = table.sum(axis=0) * table.sum(axis=1).min() / table.sum()
    rare = expected < FEWEST_EXPECTED
    pooled = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    pooled = pooled[:, pooled.sum(axis=0) > 0]
    if pooled.shape[1] == 1:
        return Tested("chi2", 0.0, 1.0)
    found = stats.chi2_contingency(pooled, correction=False)
    return Tested("chi2", float(found.statistic), float(found.pvalue))


def _comparable(reference: ColumnProfile, current: ColumnProfile) -> bool:
    same = reference.column.kind is current.column.kind
    return same and min(reference.present, current.present) >= FEWEST_VALUES


def _tested(reference: ColumnProfile, current: ColumnProfile) -> Tested:
    if reference.column.kind is FeatureKind.NUMERIC:
        return kolmogorov_smirnov(reference, current)
    return chi_square(reference, current)


def _drift(
    reference: ColumnProfile, current: ColumnProfile, test: Tested, limits: Thresholds
) -> FeatureDrift:
    before, now = shares(reference), shares(current)
    index = stability_index(before, now)
    return FeatureDrift(
        name=current.column.name,
        kind=current.column.kind,
        role=current.column.role,
        psi=index,
        jensen_shannon=min(float(np.nan_to_num(jensenshannon(before, now, base=2))), 1.0),
        test=test.name,
        statistic=test.statistic,
        p_value=test.p_value,
        null_fraction_reference=reference.null_fraction,
        null_fraction_current=current.null_fraction,
        mean_reference=reference.mean,
        mean_current=current.mean,
        drifted=index >= limits.psi and test.p_value <= limits.p_value,
    )

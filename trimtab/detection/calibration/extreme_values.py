"""Estimates upper quantiles beyond the observed values.

Peaks over a threshold follow a generalised Pareto distribution (Balkema and de Haan, 1974;
Pickands, 1975; Coles, 2001). The largest of many values follows, for light tails, a Gumbel
distribution, which has no shape to estimate and therefore suits few values.
"""

from typing import Final, Literal

import numpy as np
from scipy import stats

from trimtab.detection.profiles.arrays import FloatArray

MIN_EXCEEDANCES: Final = 20
"""Values beyond a quantile from which it is read off the values rather than extrapolated."""
MIN_DISTINCT_FOR_PARETO: Final = 200
"""Distinct values needed to fit a Pareto tail."""
PARETO_TAIL_SHARE: Final = 0.1
"""Share of the values that a Pareto tail is fitted to."""
MAX_PARETO_SHAPE: Final = 0.5
"""Largest shape of a Pareto tail. The smallest is 0, an exponential tail: a bounded one would only
show that few blocks were resampled."""

TailMethod = Literal["empirical", "pareto", "gumbel", "none"]


def estimate_upper_quantile(values: FloatArray, alpha: float) -> tuple[float, TailMethod]:
    """Return the value that is exceeded with probability `alpha`, and how it was estimated.

    It is at least the empirical quantile, which also counts if a fit fails.
    """
    empirical = float(np.quantile(values, 1.0 - alpha))
    if alpha * len(values) >= MIN_EXCEEDANCES or np.ptp(values) == 0.0:
        return empirical, "empirical"
    if len(np.unique(values)) < MIN_DISTINCT_FOR_PARETO:
        return max(_fit_gumbel_quantile(values, alpha), empirical), "gumbel"
    return max(_fit_pareto_quantile(values, alpha), empirical), "pareto"


def _fit_gumbel_quantile(values: FloatArray, alpha: float) -> float:
    location, scale = stats.gumbel_r.fit(values)
    quantile = stats.gumbel_r.isf(alpha, location, scale)
    return float(np.nan_to_num(quantile, nan=0.0, posinf=0.0))


def _fit_pareto_quantile(values: FloatArray, alpha: float) -> float:
    start = float(np.quantile(values, 1.0 - PARETO_TAIL_SHARE))
    peaks = values[values > start] - start
    fitted = np.nan_to_num(stats.genpareto.fit(peaks, floc=0.0)[0])
    shape = float(np.clip(fitted, 0.0, MAX_PARETO_SHAPE))
    scale = float(peaks.mean()) * (1.0 - shape)  # by moments, given the shape
    return start + float(stats.genpareto.isf(alpha / PARETO_TAIL_SHARE, shape, scale=scale))

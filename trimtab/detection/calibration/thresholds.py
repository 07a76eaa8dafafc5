"""Sets each column's threshold so that windows without drift stay within the false-alarm budget.

How a window without drift varies is learned from the reference itself, in blocks that are profiled
over the same bins (`trimtab.detection.calibration.resampling`). Column drift is one of four
detectors that may raise an event. The others (rows as a whole, realised and estimated performance)
have confidence intervals of their own: they use the same `alpha` and are not resampled, because
each pseudo-window would need a model of its own.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import numpy as np
from pydantic import ConfigDict, Field

from trimtab.contracts.base import Fraction, NonNegativeDuration, Record
from trimtab.detection.calibration.autocorrelation import (
    combine_correlations,
    compute_effective_blocks,
    compute_index_inflation,
    compute_quantile_correction,
    estimate_neighbour_correlation,
    estimate_window_correlation,
)
from trimtab.detection.calibration.extreme_values import (
    PARETO_TAIL_SHARE,
    TailMethod,
    estimate_upper_quantile,
)
from trimtab.detection.calibration.false_alarm_budget import CalibrationPlan
from trimtab.detection.calibration.resampling import (
    WindowShape,
    collect_bin_counts,
    compute_psi_by_column,
    draw_pseudo_windows,
    list_real_windows,
)
from trimtab.detection.calibration.seasonality import MIN_BLOCKS
from trimtab.detection.drift.column_drift import LearntThresholds
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.window_profile import WindowProfile

MAX_CORRECTED_PSI: Final = 0.5
"""Largest threshold that the corrections for few blocks may set: the index of a normal variable
moved by 0.7 of its standard deviation. Only a column whose real windows went farther in the
reference gets a larger one, and no larger than that."""
THIN_WINDOW_QUANTILE: Final = 0.1
"""Share of the pseudo-windows with fewer rows than the number that thresholds are stated for."""
_TINY: Final = float(np.finfo(float).tiny)


class Calibration(Record):
    """Thresholds that keep a false-alarm budget, with their origin; stored as JSON."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    thresholds: dict[str, float] = Field(default_factory=dict)
    """Population stability index by column that windows without drift rarely reach; the configured
    floor applies if it is larger. Empty if nothing could be calibrated."""
    alpha: Fraction = Field(alias="chance")
    """False-positive rate of the columns together in one check of a window without drift; each of
    the other detectors has the same. Stored under the key "chance"."""
    false_alarms_per_year: float = Field(gt=0.0)
    windows_per_year: float = Field(gt=0.0)
    checks_per_window: float = Field(default=1.0, ge=1.0, alias="looks")
    """Number of checks in the length of a window, stored under the key "looks"."""
    rows: float = Field(default=0.0, ge=0.0)
    """Rows of a rather thin pseudo-window, for which the thresholds are stated."""
    blocks: int = Field(ge=0)
    """Number of blocks of the reference."""
    block: NonNegativeDuration
    """Length of a block."""
    resamples: int = Field(default=0, ge=0)
    """Number of pseudo-windows."""
    method: TailMethod = "none"
    """How the upper quantile was estimated: from the values, or by a Pareto or a Gumbel
    distribution; "none" if there were too few blocks."""
    autocorrelation: Fraction = Field(default=0.0, alias="lasting")
    """Correlation of neighbouring blocks, in the column where it is largest. Stored under the key
    "lasting"."""
    correction: float = Field(default=1.0, ge=1.0, alias="caution")
    """Factor in the thresholds for the uncertainty of few blocks, stored under the key
    "caution"."""


def scale_thresholds(calibration: Calibration, current: WindowProfile) -> LearntThresholds:
    """Return the threshold of each column for a window of this many rows.

    Thin windows vary more by chance: the expectation of the index is proportional to the inverse of
    the number of rows (Yurdakul, 2018).
    """
    factor = max(calibration.rows / max(current.window.rows, 1), 1.0)
    scaled = ((name, each * factor) for name, each in calibration.thresholds.items())
    thresholds = LearntThresholds(scaled)
    thresholds.windows = calibration.blocks
    return thresholds


def calibrate_thresholds(
    blocks: Sequence[WindowProfile], plan: CalibrationPlan, *, seed: int = 0
) -> Calibration:
    """Compute the thresholds from the reference's blocks.

    The blocks must be in the order of time, of equal length, and counted over the same bins.
    """
    known: dict[str, Any] = {
        "alpha": plan.alpha,
        "false_alarms_per_year": plan.false_alarms_per_year,
        "windows_per_year": plan.windows_per_year,
        "checks_per_window": plan.checks_per_window,
        "blocks": len(blocks),
        "block": blocks[0].window.end - blocks[0].window.start if blocks else timedelta(0),
    }
    if len(blocks) < MIN_BLOCKS:
        return Calibration(**known)
    wanted = WindowShape(plan.window, plan.season, plan.matched, plan.lag)
    drawn, counts = wanted.fit_into(len(blocks)), collect_bin_counts(blocks)
    windows = draw_pseudo_windows(drawn, len(blocks), seed=seed)
    rows = windows.window @ np.array([block.window.rows for block in blocks], dtype="float64")
    judged = rows * wanted.window / drawn.window >= plan.minimum_rows
    if judged.sum() < MIN_BLOCKS:
        return Calibration(**known)
    indices = compute_psi_by_column(counts, windows)[judged]
    thin = float(np.quantile(rows[judged], THIN_WINDOW_QUANTILE))
    return Calibration(
        **known,
        **_compute_thresholds(indices, counts, wanted, plan.alpha),
        rows=thin * wanted.window / drawn.window,
        resamples=len(indices),
    )


def _compute_thresholds(
    indices: FloatArray, counts: dict[str, FloatArray], wanted: WindowShape, alpha: float
) -> dict[str, Any]:
    """Return the fields of a calibration that come from the pseudo-windows' indices.

    All columns share one level: an alarm is raised by the largest index, in units of its own
    column. A column's unit is its 90th percentile.
    """
    blocks = len(next(iter(counts.values())))
    drawn = wanted.fit_into(blocks)
    units = np.maximum(np.quantile(indices, 1.0 - PARETO_TAIL_SHARE, axis=0), _TINY)
    maxima = (indices / units).max(axis=1)
    real = compute_psi_by_column(counts, list_real_windows(drawn, blocks))
    correlations = _estimate_correlations(indices, real, counts, drawn)
    inflations = [
        compute_index_inflation(each, wanted, drawn, blocks=blocks) for each in correlations
    ]
    freedom = compute_effective_blocks(blocks - drawn.season, max(correlations))
    real_maxima = (real / units).max(axis=1)
    correction = compute_quantile_correction(maxima, real_maxima, alpha, freedom=freedom)
    level, method = estimate_upper_quantile(maxima, alpha)
    shorter = compute_index_inflation(0.0, wanted, drawn, blocks=blocks)
    limits = np.maximum(real.max(axis=0) * min(shorter, 1.0), MAX_CORRECTED_PSI)
    thresholds = np.minimum(units * inflations * level * correction, limits)
    return {
        "thresholds": {name: float(t) for name, t in zip(counts, thresholds, strict=True)},
        "method": method,
        "autocorrelation": max(correlations),
        "correction": correction,
    }


def _estimate_correlations(
    indices: FloatArray, real: FloatArray, counts: dict[str, FloatArray], drawn: WindowShape
) -> list[float]:
    """Return the correlation of neighbouring blocks for each column.

    `indices` are those of pseudo-windows and `real` those of real windows, windows by columns.
    """
    blocks = len(next(iter(counts.values())))
    ratios = real.mean(axis=0) / np.maximum(indices.mean(axis=0), _TINY)
    estimated = [
        max(
            estimate_neighbour_correlation(each, drawn.season),
            estimate_window_correlation(float(ratio), drawn, blocks),
        )
        for each, ratio in zip(counts.values(), ratios, strict=True)
    ]
    return combine_correlations(estimated, blocks)

"""Measures the champion's realised performance in a window against that at training time."""

import math
from typing import Final, NamedTuple

from trimtab.contracts.drift import PerformanceChange
from trimtab.contracts.fitted import (
    ServedModel,
    expected_metric_name,
    spread_name,
    standard_error_name,
)
from trimtab.contracts.model import ModelSpec, VersionMetric
from trimtab.detection.drift.standard_errors import is_significant_loss
from trimtab.detection.performance.skill_floor import compute_trivial_metric
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.scoring.metrics import MetricScore

MIN_LABELLED_ROWS: Final = 30
"""Labelled rows that a metric needs to be trusted."""


class RealisedMetric(NamedTuple):
    """The champion's metric on the window's labelled rows."""

    metric: VersionMetric | None
    """None if there are no labels yet, or too few."""
    error: float | None = None
    """Standard error of the metric."""


class WindowMeasurement(NamedTuple):
    """The profile of a window, and the champion's performance in it."""

    profile: WindowProfile
    realised: RealisedMetric
    performance: PerformanceChange | None
    """The realised metric compared with that held out at training time."""


def build_realised_metric(
    champion: ServedModel, score: MetricScore, spec: ModelSpec
) -> RealisedMetric:
    """Return the score as a realised metric, or an unknown one if it is of too few rows."""
    if score.value is None or score.rows < MIN_LABELLED_ROWS:
        return RealisedMetric(None)
    metric = VersionMetric(
        version=champion.version, metric=spec.metric, value=score.value, rows=score.rows
    )
    return RealisedMetric(metric, score.error)


def measure_performance_change(
    champion: ServedModel,
    realised: RealisedMetric,
    spec: ModelSpec,
    *,
    alpha: float | None = None,
    classes: int = 2,
) -> PerformanceChange | None:
    """Compare the metric with that held out at training time; None if either is unknown.

    It is degraded if the loss is larger than the tolerance, than chance explains, and than windows
    of the reference differ among themselves; `alpha` as for `is_significant_loss`. `classes` is
    the number of classes of the target.
    """
    held_out = get_reference_metric(champion, spec.metric)
    if realised.metric is None or held_out is None:
        return None
    reference, error, spread = held_out
    loss = reference - realised.metric.value
    significant = is_significant_loss(
        loss, error, realised.error, alpha=alpha
    ) and is_significant_loss(loss, spread, alpha=alpha)
    return PerformanceChange(
        metric=spec.metric,
        reference=reference,
        current=realised.metric.value,
        rows=realised.metric.rows,
        error=_combine_errors(error, realised.error),
        degraded=loss > spec.tolerance and significant,
        trivial=compute_trivial_metric(spec.metric, classes=classes),
        spread=spread,
        windows=int(loss > spec.tolerance),
    )


def compute_loss_error(
    champion: ServedModel, realised: RealisedMetric, metric: str
) -> float | None:
    """Return the standard error of the realised loss, or None if no part of it is known."""
    held_out = get_reference_metric(champion, metric)
    return _combine_errors(held_out[1] if held_out else None, realised.error)


def _combine_errors(*errors: float | None) -> float | None:
    known = [error for error in errors if error is not None]
    return math.hypot(*known) if known else None


class ReferenceMetric(NamedTuple):
    """The metric that a champion must keep."""

    value: float
    error: float | None
    """Standard error of the value; None if unknown."""
    spread: float | None
    """Standard deviation between windows of the reference; None if unknown."""


def get_reference_metric(champion: ServedModel, metric: str) -> ReferenceMetric | None:
    """Return the metric that the champion must keep, with its standard error and spread.

    A challenger trained on bad data may have had a bad metric on its own held-out rows. It must
    keep the metric of the first champion if that was better.
    """
    measured = champion.metrics
    known = [
        ReferenceMetric(
            measured[name], measured.get(standard_error_name(name)), measured.get(spread_name(name))
        )
        for name in (metric, expected_metric_name(metric))
        if name in measured
    ]
    return max(known, key=lambda each: each.value, default=None)

"""The champion's realised performance in a window, beside what it had at training time."""

import math
from typing import Final, NamedTuple

from trimtab.contracts.drift import PerformanceChange
from trimtab.contracts.fitted import ServedModel, expected_metric_name, standard_error_name
from trimtab.contracts.model import ModelSpec, VersionMetric
from trimtab.detection.drift.standard_errors import surpasses_chance
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.scoring import estimator

FEWEST_LABELS: Final = 30
"""Labelled rows without which no metric is believed."""


class Realised(NamedTuple):
    """The champion's metric on the window's labelled rows."""

    metric: VersionMetric | None
    """None where no labels have come, or too few to measure on."""
    error: float | None = None
    """The metric's standard error."""


class Measured(NamedTuple):
    """The champion in the window."""

    profile: WindowProfile
    realised: Realised
    performance: PerformanceChange | None
    """The realised metric beside the one held out at training time."""


def realised(champion: ServedModel, score: estimator.Score, spec: ModelSpec) -> Realised:
    """A score that is believed, or none."""
    if score.value is None or score.rows < FEWEST_LABELS:
        return Realised(None)
    metric = VersionMetric(
        version=champion.version, metric=spec.metric, value=score.value, rows=score.rows
    )
    return Realised(metric, score.error)


def performance_change(
    champion: ServedModel, found: Realised, spec: ModelSpec, *, chance: float | None = None
) -> PerformanceChange | None:
    """The metric beside the one held out at training time; None where either is unknown.

    Degraded is what lost more than the tolerance and more than chance explains; `chance` as for
    `surpasses_chance`.
    """
    held_out = held_to(champion, spec.metric)
    if found.metric is None or held_out is None:
        return None
    reference, error = held_out
    loss = reference - found.metric.value
    real = surpasses_chance(loss, error, found.error, chance=chance)
    return PerformanceChange(
        metric=spec.metric,
        reference=reference,
        current=found.metric.value,
        rows=found.metric.rows,
        error=_together(error, found.error),
        degraded=loss > spec.tolerance and real,
    )


def loss_error(champion: ServedModel, found: Realised, metric: str) -> float | None:
    """The standard error of the realised loss; None where nothing of it is known."""
    held_out = held_to(champion, metric)
    return _together(held_out[1] if held_out else None, found.error)


def _together(*errors: float | None) -> float | None:
    known = [error for error in errors if error is not None]
    return math.hypot(*known) if known else None


def held_to(champion: ServedModel, metric: str) -> tuple[float, float | None] | None:
    """What the champion is held to, with its standard error.

    A challenger trained while things were bad may have been bad on its own held-out rows: it is
    held to what the first champion had there, if that was better.
    """
    known = [
        (champion.metrics[name], champion.metrics.get(standard_error_name(name)))
        for name in (metric, expected_metric_name(metric))
        if name in champion.metrics
    ]
    return max(known, key=lambda each: each[0], default=None)

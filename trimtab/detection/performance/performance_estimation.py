"""Records of performance estimation: the expected metric of a model without labels.

Classifiers: scores are calibrated on held-out rows, and a calibrated probability says how often
its row is right; the expectation of the metric follows (`trimtab.detection.performance.cbpe`).
Regressors: a second model has learned the squared error of the first one on held-out rows
(`trimtab.detection.performance.dle`).

Both see the effect of covariate shift. Neither sees that the same inputs now mean another target:
`trimtab.detection.performance.concept_drift` does. The result is a difference: the reference figure
is estimated in the same way on held-out rows, so that the method's own errors cancel (Guillory et
al., 2021, on differences of confidences).
"""

from typing import Final, NamedTuple

import numpy as np
from pydantic import Field

from trimtab.contracts.base import Name, Record
from trimtab.contracts.drift import PerformanceEstimate
from trimtab.detection.drift.standard_errors import (
    ClusterLabels,
    compute_clustered_error,
    is_significant_loss,
)
from trimtab.detection.performance.calibration_curve import CalibrationCurve
from trimtab.detection.profiles.arrays import FloatArray

ESTIMATION_FOLDS: Final = 5
"""Folds of the cross-fit: the reference figure comes from rows that neither calibration nor loss
model has learned from."""
MIN_ROWS_TO_ESTIMATE: Final = 100
"""Held-out rows needed to calibrate, and rows of a window needed to estimate its metric."""


class MetricEstimate(NamedTuple):
    """The expected value of a metric on some rows."""

    value: float
    error: float
    """Standard error of the value, as far as the sampling of the rows goes."""
    rows: int


class EstimationReference(Record):
    """Data that is stored with a model to estimate its metric later."""

    metric: Name
    method: str
    """"confidence_based" or "direct_loss", as in `PerformanceEstimate`."""
    reference: float
    """Estimate of the metric on held-out rows."""
    error: float = Field(ge=0.0)
    """Standard error of the reference."""
    curves: tuple[CalibrationCurve, ...] = ()
    """Classifiers: one curve a class, in the model's order of classes."""

    def compare(
        self, current: MetricEstimate, *, tolerance: float, alpha: float | None = None
    ) -> PerformanceEstimate:
        """Return the window's estimate together with the reference.

        It is degraded if the loss is larger than the tolerance and than chance explains; `alpha`
        as for `is_significant_loss`.
        """
        loss = self.reference - current.value
        significant = is_significant_loss(loss, self.error, current.error, alpha=alpha)
        return PerformanceEstimate.model_validate(
            {
                "metric": self.metric,
                "reference": self.reference,
                "estimated": current.value,
                "error": float(np.hypot(self.error, current.error)),
                "rows": current.rows,
                "method": self.method,
                "degraded": loss > tolerance and significant,
            }
        )


def build_metric_estimate(
    value: float, influence: FloatArray, clusters: ClusterLabels
) -> MetricEstimate:
    """Return an estimate with the standard error of its influence function, one value a row."""
    error = compute_clustered_error(influence, clusters=clusters)
    return MetricEstimate(value, error, len(influence))

"""What a metric is expected to be without labels, as far as the inputs tell.

Classifiers: scores are calibrated on held-out rows, and a calibrated chance says how often its row
is right; the metric's expectation follows (confidence-based estimation, as in Bialek, Kivimaki,
Kuberski and Perrakis, 2024, who compare it with others). Regressors: a second model has learnt the
squared error of the first one on held-out rows (direct loss estimation; a learnt loss: Yoo and
Kweon, 2019; as a secondary predictor of error: Lahlou et al., 2023).

Both see what covariate shift does, and neither sees that the same inputs now mean another target:
that is what `detection.concept` is about. What is told is a difference: the reference figure is
estimated in the same way on rows held out, so that what is wrong with the method cancels
(Guillory et al., 2021, of differences of confidences).
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import KFold

from trimtab.contracts.base import Name, Record
from trimtab.contracts.drift import PerformanceEstimate
from trimtab.detection.drift.standard_errors import Groupings, influence_error, surpasses_chance

FOLDS: Final = 5
"""The reference figure comes from rows that neither calibration nor learnt loss has seen."""
FEWEST_ROWS: Final = 100
"""Held-out rows without which nothing is calibrated, and rows without which nothing is told."""
CURVE_POINTS: Final = 200
"""Most points of one calibration curve that are kept."""

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


class Expected(NamedTuple):
    """A metric as it is expected on some rows."""

    value: float
    error: float
    """Its standard error, as far as the rows' sampling goes."""
    rows: int


class Curve(Record):
    """What a score means: chances at ascending scores, straight lines between them."""

    scores: tuple[float, ...] = Field(min_length=1)
    chances: tuple[float, ...] = Field(min_length=1)

    def at(self, scores: Numbers) -> Numbers:
        """The chance of each score; beyond the ends as at the ends."""
        found: Numbers = np.interp(scores, self.scores, self.chances)
        return found


class Expectation(Record):
    """What is kept with a model to estimate its metric later."""

    metric: Name
    method: str
    """"confidence_based" or "direct_loss", as in `PerformanceEstimate`."""
    reference: float
    """The metric as estimated on held-out rows."""
    error: float = Field(ge=0.0)
    """The reference's standard error."""
    curves: tuple[Curve, ...] = ()
    """Classifiers: one a class, in the model's order of classes."""

    def beside(
        self, current: Expected, *, tolerance: float, chance: float | None = None
    ) -> PerformanceEstimate:
        """The window's figure beside the reference's.

        Degraded is what lost more than the tolerance and more than chance explains; `chance` as
        for `surpasses_chance`.
        """
        loss = self.reference - current.value
        real = surpasses_chance(loss, self.error, current.error, chance=chance)
        return PerformanceEstimate.model_validate(
            {
                "metric": self.metric,
                "reference": self.reference,
                "estimated": current.value,
                "error": float(np.hypot(self.error, current.error)),
                "rows": current.rows,
                "method": self.method,
                "degraded": loss > tolerance and real,
            }
        )


def expect_by_confidence(
    metric: str,
    scores: Numbers,
    truth: Codes,
    *,
    predicted: Codes,
    alike: Groupings = (),
    seed: int = 0,
) -> Expectation | None:
    """Calibrate scores of held-out rows; None where they are fewer than 100 or of one class.

    `scores` has a row for each row and a column for each class; `truth` and `predicted` are the
    places of classes. `alike` as for `influence_error`.
    """
    if len(truth) < FEWEST_ROWS or len(np.unique(truth)) < 2:  # noqa: PLR2004 - nothing to tell
        return None
    chances = np.empty_like(scores)
    for learnt, held in KFold(FOLDS, shuffle=True, random_state=seed).split(scores):
        curves = _calibrated(scores[learnt], truth[learnt])
        chances[held] = chances_of(scores[held], curves)
    found = expected_by_confidence(metric, scores, chances, predicted=predicted, alike=alike)
    return found and Expectation(
        metric=metric,
        method="confidence_based",
        reference=found.value,
        error=found.error,
        curves=_calibrated(scores, truth),
    )


def chances_of(scores: Numbers, curves: tuple[Curve, ...]) -> Numbers:
    """The calibrated chance of each class for each row; each row's add up to 1."""
    chances = np.column_stack([curve.at(column) for curve, column in
                               zip(curves, scores.T, strict=True)])  # fmt: skip
    total = chances.sum(axis=1, keepdims=True)
    even: Numbers = np.full_like(chances, 1.0 / chances.shape[1])
    np.divide(chances, total, out=even, where=total > 0.0)
    return even


def expected_by_confidence(
    metric: str, scores: Numbers, chances: Numbers, *, predicted: Codes, alike: Groupings = ()
) -> Expected | None:
    """The metric that calibrated chances promise; None where it is undefined or too few rows."""
    if len(chances) < FEWEST_ROWS:
        return None
    if metric == "roc_auc":
        return _expected_area(scores[:, 1], chances[:, 1], alike)
    return _expected_balanced_accuracy(chances, predicted, alike)


def expect_by_loss(
    losses: Numbers, predictions: Numbers, *, alike: Groupings = ()
) -> Expectation | None:
    """Of what a learnt loss says of held-out rows that it has not seen; None where too few."""
    found = expected_by_loss(losses, predictions, alike=alike)
    return found and Expectation(
        metric="r2", method="direct_loss", reference=found.value, error=found.error
    )


def expected_by_loss(
    losses: Numbers, predictions: Numbers, *, alike: Groupings = ()
) -> Expected | None:
    """R2 as it is expected where a row's squared error is expected to be its loss.

    The targets' variance is not known without targets; it is that of the predictions plus the
    mean loss, as for a model that predicts the conditional mean (law of total variance).
    """
    if len(losses) < FEWEST_ROWS:
        return None
    loss, spread = losses.mean(), predictions.var()
    total = loss + spread
    if total <= 0.0:
        return None
    apart = (predictions - predictions.mean()) ** 2 - spread
    influence = (loss * apart - spread * (losses - loss)) / total**2
    return _expected(float(1.0 - loss / total), influence, alike)


def _calibrated(scores: Numbers, truth: Codes) -> tuple[Curve, ...]:
    return tuple(_curve(column, truth == place) for place, column in enumerate(scores.T))


def _curve(scores: Numbers, of_class: npt.NDArray[np.bool_]) -> Curve:
    """Isotonic regression (Zadrozny and Elkan, 2002), its corners thinned out."""
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    fitted.fit(scores, of_class.astype("float64"))
    places = np.arange(len(fitted.X_thresholds_))
    if len(places) > CURVE_POINTS:
        places = np.unique(np.linspace(0, len(places) - 1, CURVE_POINTS).astype("int64"))
    return Curve(
        scores=tuple(fitted.X_thresholds_[places].tolist()),
        chances=tuple(fitted.y_thresholds_[places].tolist()),
    )


def _expected_area(scores: Numbers, chances: Numbers, alike: Groupings) -> Expected | None:
    """Every row counts as positive by its chance and as negative by the rest."""
    positive, negative = chances.sum(), (1.0 - chances).sum()
    if min(positive, negative) <= 0.0:
        return None
    above = _share_below(scores, 1.0 - chances) / negative
    below = 1.0 - _share_below(scores, chances) / positive
    area = float((chances * above).sum() / positive)
    rows = len(scores)
    influence = rows * (
        chances * (above - area) / positive + (1.0 - chances) * (below - area) / negative
    )
    return _expected(area, influence, alike)


def _share_below(scores: Numbers, weights: Numbers) -> Numbers:
    """The weight of the rows with a lower score, half that of the rows with the same."""
    values, place = np.unique(scores, return_inverse=True)
    tied = np.bincount(place, weights=weights, minlength=len(values))
    found: Numbers = (np.cumsum(tied) - tied / 2.0)[place]
    return found


def _expected_balanced_accuracy(
    chances: Numbers, predicted: Codes, alike: Groupings
) -> Expected | None:
    """The mean over classes of their recall, a row being of each class by its chance."""
    expected = chances.sum(axis=0)
    right = predicted[:, None] == np.arange(chances.shape[1])
    there = expected > 0.0
    if not there.any():
        return None
    recalls = (chances * right).sum(axis=0)[there] / expected[there]
    lean = (chances[:, there] * (right[:, there] - recalls)) / expected[there]
    return _expected(float(recalls.mean()), len(chances) * lean.mean(axis=1), alike)


def _expected(value: float, influence: Numbers, alike: Groupings) -> Expected:
    return Expected(value, influence_error(influence, alike=alike), len(influence))

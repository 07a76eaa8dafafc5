"""Fits the weights of the confidence on played incidents whose truth is known.

It is a logistic regression of "cause and action are right" with weights of at least 0, so that the
confidence is monotone, and a small ridge penalty, so that few incidents move little.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from evals.calibration.second_judgement import judge_again, read_spec
from evals.play.incident_record import PlayedIncident
from evals.scores.statistics import ConfidenceScore, score_confidence
from evals.truth import Due
from trimtab.contracts.calibration import ConfidenceCalibration
from trimtab.contracts.ports import Refused

PARTS: Final = (
    "likelihood", "lead", "fitness", "certainty", "labels", "decisive", "lasting", "remedy",
    "record",
)  # fmt: skip
MIN_ANSWERS: Final = 50
"""Answered events that a fit needs."""
FOLDS: Final = 5
_PENALTY: Final = 1.0
"""Weight of half the sum of squared weights, beside the log-loss summed over the answers."""
_MAX_WEIGHT: Final = 20.0

Floats = NDArray[np.float64]


class LabelledAnswer(NamedTuple):
    """One answered event: what was measured of its plan, and whether that was right."""

    incident: str
    parts: tuple[float, ...]
    """In the order of `PARTS`."""
    right: bool


class CalibrationFit(NamedTuple):
    """A calibration, and how good it is on answers that it was not fitted on."""

    calibration: ConfidenceCalibration
    answers: int
    cross_validated: ConfidenceScore


def list_answers(played: Iterable[PlayedIncident]) -> Iterator[LabelledAnswer]:
    """Yield the answered events from the onset on, and those where nothing was due.

    They are judged again, by today's rules, from the findings that were kept: a changed rule needs
    another fit, and no other findings.
    """
    for each in played:
        truth, spec = each.adjudication.truth, read_spec(each.id.table)
        for window in each.windows:
            answer = window.response
            if answer is None or (truth.due is not Due.QUIET and window.index < truth.onset):
                continue
            found = judge_again(window, answer, spec)
            causes = (found.opinion.cause, *found.opinion.also)
            right = truth.score_causes(causes) > 0.0 and found.opinion.action in truth.actions
            values = {part.name: part.value for part in found.parts}
            yield LabelledAnswer(str(each.id), tuple(values[name] for name in PARTS), right)


def fit_calibration(answers: Sequence[LabelledAnswer], *, version: str) -> CalibrationFit:
    """Return the fit; raise `Refused` if there are too few answers, or all of them are alike."""
    rights = {each.right for each in answers}
    if len(answers) < MIN_ANSWERS or len(rights) < len((True, False)):
        msg = (
            f"{len(answers)} answered events, all of them alike or fewer than {MIN_ANSWERS}: play"
            " more seeds of the training split first"
        )
        raise Refused(msg)
    return CalibrationFit(
        _fit(answers, version=version), len(answers), _cross_validate(answers, version=version)
    )


def estimate(calibration: ConfidenceCalibration, answers: Sequence[LabelledAnswer]) -> list[float]:
    """Return the probability that each answer is right."""
    table = np.array([each.parts for each in answers], dtype=np.float64)
    weights = np.array([calibration.weights.get(name, 0.0) for name in PARTS])
    odds: Floats = 1.0 / (1.0 + np.exp(-(table @ weights + calibration.intercept)))
    return [float(each) for each in odds]


def _fit(answers: Sequence[LabelledAnswer], *, version: str) -> ConfidenceCalibration:
    table = np.array([each.parts for each in answers], dtype=np.float64)
    right = np.array([each.right for each in answers], dtype=np.float64)

    def compute_loss(values: Floats) -> tuple[float, Floats]:
        odds = table @ values[1:] + values[0]
        loss = np.sum(np.logaddexp(0.0, odds) - right * odds)
        error = 1.0 / (1.0 + np.exp(-odds)) - right
        slope = np.concatenate([[error.sum()], table.T @ error + _PENALTY * values[1:]])
        return float(loss + _PENALTY * np.sum(values[1:] ** 2) / 2), slope

    found = minimize(
        compute_loss,
        np.zeros(len(PARTS) + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None), *[(0.0, _MAX_WEIGHT)] * len(PARTS)],
    )
    return ConfidenceCalibration(
        version=version,
        incidents=len({each.incident for each in answers}),
        intercept=round(float(found.x[0]), 4),
        weights={
            name: round(float(value), 4) for name, value in zip(PARTS, found.x[1:], strict=True)
        },
    )


def _cross_validate(answers: Sequence[LabelledAnswer], *, version: str) -> ConfidenceScore:
    """Score each answer by a fit on other incidents than its own."""
    incidents = sorted({each.incident for each in answers})
    folds = {incident: number % FOLDS for number, incident in enumerate(incidents)}
    values, rights = list[float](), list[bool]()
    for fold in range(FOLDS):
        left_out = [each for each in answers if folds[each.incident] == fold]
        others = [each for each in answers if folds[each.incident] != fold]
        if left_out and others:
            values += estimate(_fit(others, version=version), left_out)
            rights += [each.right for each in left_out]
    return score_confidence(values, rights)

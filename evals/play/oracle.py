"""Really does each action, with the same learner, and scores it on the windows that follow."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from evals.injections.injection import ChampionOrigin
from evals.play.incident_record import OracleRecord, WindowRecord
from evals.play.labelled_incident import LabelledIncident
from evals.truth import TRUE_TARGET
from trimtab.contracts.ports import Refused
from trimtab.pipelines.history.rows import cast_targets, keep_valid_targets, read_rows
from trimtab.pipelines.history.time_ranges import TimeRange, compute_retraining_range
from trimtab.pipelines.learning.model_fitting import MIN_TRAINING_ROWS
from trimtab.pipelines.scoring.estimator import fit_estimator
from trimtab.pipelines.scoring.metrics import compute_metric
from trimtab.pipelines.scoring.predictions import predict_outputs

CUSUM_ALLOWANCE: Final = 0.5
CUSUM_LIMIT: Final = 2.0
"""In tolerances: an alarm needs one window with a loss of 2.5, or several with less (Page, 1954).
"""


class Oracle:
    """Models of one incident that were retrained at the end of each window."""

    def __init__(self, incident: LabelledIncident, *, first: Any) -> None:  # noqa: ANN401 - a model
        self._incident = incident
        self._first = first
        self._retrained: dict[int, Any] = {}
        self._scores: dict[tuple[int, int], float | None] = {}

    def score_true(self, model: Any, window: int) -> float | None:  # noqa: ANN401
        """Return a model's metric in a window on the true targets; None if it is undefined."""
        incident = self._incident
        rows = read_rows(incident.rows, incident.spec, incident.watched[window])
        if rows.empty:
            return None
        truth = rows.assign(**{incident.spec.target: rows[TRUE_TARGET]})
        if incident.dropped_column and window >= incident.truth.onset:
            truth = truth.drop(columns=incident.dropped_column)
        clean = keep_valid_targets(truth, incident.spec)
        outputs = predict_outputs(model, clean, incident.spec)
        return compute_metric(cast_targets(clean, incident.spec), outputs, incident.spec)

    def retrain(self, window: int) -> Any:  # noqa: ANN401
        """Return a model of the newest rows at a window's end; None if they cannot be learnt."""
        if window not in self._retrained:
            self._retrained[window] = self._fit(window)
        return self._retrained[window]

    def score_retrained(self, trained: int, window: int) -> float | None:
        """Return the metric in a window of the model that was retrained at another's end."""
        if (trained, window) not in self._scores:
            model = self.retrain(trained)
            self._scores[trained, window] = (
                None if model is None else self.score_true(model, window)
            )
        return self._scores[trained, window]

    def score_first(self, window: int) -> float | None:
        """Return the metric of the first champion, which a bad release replaced."""
        if self._incident.origin is not ChampionOrigin.BAD_RELEASE:
            return None
        return self.score_true(self._first, window)

    def record(self, windows: Sequence[WindowRecord], *, decided: int) -> OracleRecord:
        """Return what each action at the end of window `decided` brings, and simple policies."""
        later = range(decided + 1, len(windows))
        untouched = [window.untouched for window in windows]
        actions = {
            "keep": compute_mean([untouched[index] for index in later]),
            "retrain": compute_mean([self._score_or(decided, index, untouched) for index in later]),
            "roll_back": compute_mean([self.score_first(index) for index in later]),
        }
        observed = [window.observed for window in windows]
        reference = self._find_reference(windows)
        tolerance = self._incident.spec.tolerance
        policies = {
            "never": untouched,
            "always": self._follow(lambda _: True, untouched),
            "threshold": self._follow(
                lambda index: _is_below(observed[index], reference, tolerance), untouched
            ),
            "cusum": self._follow(_build_cusum(observed, reference, tolerance), untouched),
        }
        return OracleRecord(
            window=decided,
            actions={name: _round(value) for name, value in actions.items()},
            policies={name: tuple(map(_round, values)) for name, values in policies.items()},
        )

    def _follow(
        self, alarms: Callable[[int], bool], untouched: Sequence[float | None]
    ) -> list[float | None]:
        """Return the metric in each window of a policy that retrains after windows with alarm."""
        trained: int | None = None
        metrics: list[float | None] = []
        for index in range(len(untouched)):
            metrics.append(
                untouched[index] if trained is None else self._score_or(trained, index, untouched)
            )
            later = index + 1 < len(untouched)
            if alarms(index) and later and self.retrain(index) is not None:
                trained = index
        return metrics

    def _score_or(
        self, trained: int, window: int, untouched: Sequence[float | None]
    ) -> float | None:
        score = self.score_retrained(trained, window)
        return untouched[window] if score is None else score

    def _fit(self, window: int) -> Any:  # noqa: ANN401
        incident = self._incident
        end = incident.watched[window].end
        history = incident.view_history(end)
        start = compute_retraining_range(incident.spec, end).start
        rows = read_rows(history, incident.spec, TimeRange(start, end))
        clean = keep_valid_targets(rows, incident.spec)
        try:
            if len(clean) < MIN_TRAINING_ROWS:
                return None
            return fit_estimator(clean, incident.spec, seed=0)
        except (Refused, ValueError):
            return None

    def _find_reference(self, windows: Sequence[WindowRecord]) -> float | None:
        """Return the metric before anything happened."""
        before = [each.observed for each in windows[: max(1, self._incident.truth.onset)]]
        return compute_mean(before)


def compute_mean(values: Sequence[float | None]) -> float | None:
    """Return the mean of the known values; None if none is known."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _is_below(value: float | None, reference: float | None, tolerance: float) -> bool:
    return value is not None and reference is not None and value < reference - tolerance


def _build_cusum(
    observed: Sequence[float | None], reference: float | None, tolerance: float
) -> Callable[[int], bool]:
    """Return a function that says whether the cumulated loss is beyond its limit in a window."""
    total = 0.0

    def alarms(index: int) -> bool:
        nonlocal total
        value = observed[index]
        if value is None or reference is None:
            return False
        total = max(0.0, total + (reference - value) / tolerance - CUSUM_ALLOWANCE)
        if total <= CUSUM_LIMIT:
            return False
        total = 0.0
        return True

    return alarms


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 5)

"""Estimates the cost of a window's drift for the champion, from what is stored with its version.

A version that lacks some of it (made elsewhere, or before it was stored) gets fewer estimates: what
is unknown stays None, and is announced rather than taken for harmless.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import pandas as pd
from pydantic import JsonValue

from trimtab.contracts.drift import MultivariateDrift, PerformanceChange, PerformanceEstimate
from trimtab.contracts.fitted import (
    IMPORTANCE_FILE,
    LOSS_FILE,
    PERFORMANCE_ESTIMATION_FILE,
    REFERENCE_ROWS_FILE,
    ServedModel,
)
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.contracts.window_signals import SupportSplit
from trimtab.detection.drift.domain_classifier import detect_multivariate_drift
from trimtab.detection.performance.calibration_curve import calibrate_probabilities
from trimtab.detection.performance.cbpe import estimate_by_cbpe
from trimtab.detection.performance.concept_drift import compute_concept_loss
from trimtab.detection.performance.dle import estimate_by_dle
from trimtab.detection.performance.performance_estimation import (
    EstimationReference,
    MetricEstimate,
)
from trimtab.detection.performance.performance_impact import PerformanceImpact
from trimtab.pipelines.scoring.calibration import (
    load_seasonal_profiles,
    select_matching_phases,
)
from trimtab.pipelines.scoring.loss_model import build_loss_inputs, predict_loss
from trimtab.pipelines.scoring.metrics import label_row_clusters
from trimtab.pipelines.scoring.performance_estimation import (
    build_classifier_inputs,
    index_classes,
)
from trimtab.pipelines.scoring.predictions import (
    choose_predictor,
    list_classes,
    predict_probabilities,
)
from trimtab.pipelines.scoring.support import measure_support
from trimtab.pipelines.scoring.thread_limits import use_one_thread

MIN_SEPARABLE_AUC: Final = 0.55
"""Area under the domain classifier's curve below which a window is not searched for rows without
support: it hardly differs from the reference."""


class PredictedWindow(NamedTuple):
    """The rows of a window with the champion's predictions."""

    rows: pd.DataFrame
    predictions: "pd.Series[Any]"
    labelled: "pd.Series[bool]"
    """Whether the target of each row is known."""
    alpha: float | None = None
    """False-positive rate of a loss; None for the usual one."""


def estimate_impact(
    window: PredictedWindow,
    spec: ModelSpec,
    champion: ServedModel,
    *,
    performance: PerformanceChange | None,
    error: float | None,
) -> PerformanceImpact:
    """Return everything about the impact that is known with this version.

    `error` is the standard error of the realised loss.
    """
    importance = load_importance(champion)
    if len(window.rows) < spec.minimum_rows:
        return PerformanceImpact(importance=importance)
    estimate = estimate_performance(window, spec, champion)
    labelled_estimate = _estimate_labelled(window, spec, champion, estimate)
    multivariate = compare_window_rows(window.rows, spec, champion, alpha=window.alpha)
    separable = multivariate is None or multivariate.auc >= MIN_SEPARABLE_AUC
    support = None
    if performance and performance.reference - performance.current > spec.tolerance:
        support = _split_loss(
            window, spec, champion, performance, estimate=labelled_estimate, separable=separable
        )
    return PerformanceImpact(
        importance=importance,
        estimate=estimate,
        multivariate=multivariate,
        concept_loss=compute_concept_loss(
            performance, labelled_estimate, error=error, alpha=window.alpha, support=support
        ),
        support=support,
    )


def load_importance(champion: ServedModel) -> dict[str, float]:
    """Return the loss of the metric without each feature; empty if it was not measured."""
    stored = _load_artifact(champion, IMPORTANCE_FILE)
    return {name: float(value) for name, value in stored.items() if isinstance(value, int | float)}


def compare_window_rows(
    rows: pd.DataFrame, spec: ModelSpec, champion: ServedModel, *, alpha: float | None = None
) -> MultivariateDrift | None:
    """Measure how well the window's rows can be separated from the champion's training rows.

    None if these are not stored. `alpha` as for `detect_multivariate_drift`.
    """
    try:
        reference = champion.frame(REFERENCE_ROWS_FILE)
    except Refused:
        return None
    reference = select_matching_phases(reference, rows, spec, load_seasonal_profiles(champion))
    ordered = rows.sort_values(spec.timestamp, kind="stable")
    times = pd.DatetimeIndex(ordered[spec.timestamp])
    current = build_classifier_inputs(ordered, spec).set_index(times)
    if spec.timestamp in reference:  # versions of old have no times
        reference = reference.set_index(spec.timestamp)
    with use_one_thread():
        return detect_multivariate_drift(
            reference,
            current,
            sensitivity=spec.sensitivity,
            dependence=spec.dependence,
            alpha=alpha,
        )


def estimate_performance(
    window: PredictedWindow, spec: ModelSpec, champion: ServedModel
) -> PerformanceEstimate | None:
    """Return the metric to expect without labels; None if nothing to estimate it is stored."""
    stored = _load_artifact(champion, PERFORMANCE_ESTIMATION_FILE)
    reference = EstimationReference.model_validate(stored) if stored else None
    if reference is None or reference.metric != spec.metric:
        return None
    current = (
        _estimate_by_loss(window, spec, champion)
        if spec.task is Task.REGRESSION
        else _estimate_by_confidence(window, spec, champion, reference)
    )
    if current is None:
        return None
    return reference.compare(current, tolerance=spec.tolerance, alpha=window.alpha)


def _split_loss(
    window: PredictedWindow,
    spec: ModelSpec,
    champion: ServedModel,
    performance: PerformanceChange,
    *,
    estimate: PerformanceEstimate | None,
    separable: bool,
) -> SupportSplit | None:
    """Return the metric by support; rows inside may be expected to be harder or easier."""
    found = measure_support(
        window.rows[window.labelled],
        spec,
        champion,
        importance=load_importance(champion),
        performance=performance,
        separable=separable,
    )
    if found is None or estimate is None:
        return found[0] if found else None
    split, rows = found
    known = pd.Series(data=True, index=rows.index)
    inside = PredictedWindow(rows, window.predictions[rows.index], known, window.alpha)
    expected = estimate_performance(inside, spec, champion)
    if expected is None:
        return split
    reference = performance.reference - (expected.reference - expected.estimated)
    return split.model_copy(update={"inside_reference": reference})


def _estimate_labelled(
    window: PredictedWindow,
    spec: ModelSpec,
    champion: ServedModel,
    estimate: PerformanceEstimate | None,
) -> PerformanceEstimate | None:
    """Return the estimate on the labelled rows, which the realised metric is from."""
    if estimate is None or window.labelled.all():
        return estimate
    rows, predictions, labelled, alpha = window
    known = PredictedWindow(rows[labelled], predictions[labelled], labelled[labelled], alpha)
    return estimate_performance(known, spec, champion)


def _estimate_by_loss(
    window: PredictedWindow, spec: ModelSpec, champion: ServedModel
) -> MetricEstimate | None:
    known = window.predictions.notna()
    rows, predictions = window.rows[known], window.predictions[known]
    try:
        model = champion.companion(LOSS_FILE)
    except Refused:
        return None
    losses = predict_loss(model, build_loss_inputs(rows, predictions, spec))
    return estimate_by_dle(
        losses,
        predictions.to_numpy(dtype="float64"),
        clusters=label_row_clusters(rows, spec),
    )


def _estimate_by_confidence(
    window: PredictedWindow,
    spec: ModelSpec,
    champion: ServedModel,
    reference: EstimationReference,
) -> MetricEstimate | None:
    """Use the logged probabilities, or else those that the champion gives when asked."""
    known = window.predictions.notna()
    rows, predictions = window.rows[known], window.predictions[known]
    for model in (choose_predictor(champion, rows, spec), champion.load()):
        scores = predict_probabilities(model, rows, spec) if len(rows) else None
        if scores is not None and scores.shape[1] == len(reference.curves):
            return estimate_by_cbpe(
                spec.metric,
                scores,
                calibrate_probabilities(scores, reference.curves),
                predicted=index_classes(list_classes(model), predictions),
                clusters=label_row_clusters(rows, spec),
            )
    return None


def _load_artifact(champion: ServedModel, name: str) -> Mapping[str, JsonValue]:
    """Return the content of an artifact; empty if there is none."""
    try:
        return champion.artifact(name)
    except Refused:
        return {}

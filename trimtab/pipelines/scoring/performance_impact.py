"""What a window's drift is expected to cost the champion, from what was stored with its version.

A version that lacks something of it (made elsewhere, or before this was stored) is told less of:
what is unknown stays None, and is announced rather than taken for harmless.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

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
from trimtab.detection.drift.domain_classifier import tell_apart
from trimtab.detection.performance.concept_drift import concept_loss
from trimtab.detection.performance.performance_estimation import (
    Expectation,
    Expected,
    chances_of,
    expected_by_confidence,
    expected_by_loss,
)
from trimtab.detection.performance.performance_impact import Harm
from trimtab.pipelines.history.rows import Table
from trimtab.pipelines.scoring import estimator
from trimtab.pipelines.scoring.calibration import at_the_same_hours, strata_of
from trimtab.pipelines.scoring.performance_estimation import comparable, places
from trimtab.pipelines.scoring.predictions import answering


class Scene(NamedTuple):
    """A window as the champion sees it."""

    rows: Table
    predictions: "pd.Series[Any]"
    labelled: "pd.Series[bool]"
    """Whether the row's target is known."""
    chance: float | None = None
    """How often mere chance may pass for a loss; None as usual."""


def assess(
    scene: Scene,
    spec: ModelSpec,
    champion: ServedModel,
    *,
    performance: PerformanceChange | None,
    error: float | None,
) -> Harm:
    """Everything about harm that the version allows to say; `error` is the realised loss's."""
    importance = importance_of(champion)
    if len(scene.rows) < spec.minimum_rows:
        return Harm(importance=importance)
    estimate = estimate_performance(scene, spec, champion)
    return Harm(
        importance=importance,
        estimate=estimate,
        multivariate=compare_rows(scene.rows, spec, champion, chance=scene.chance),
        concept_loss=concept_loss(performance, _where_labelled(scene, spec, champion, estimate),
                                  error=error, chance=scene.chance),
    )  # fmt: skip


def importance_of(champion: ServedModel) -> dict[str, float]:
    """What the champion's metric loses without each feature; empty where nobody measured it."""
    kept = _kept(champion, IMPORTANCE_FILE)
    return {name: float(value) for name, value in kept.items() if isinstance(value, int | float)}


def compare_rows(
    rows: Table, spec: ModelSpec, champion: ServedModel, *, chance: float | None = None
) -> MultivariateDrift | None:
    """How well the window's rows can be told from those that the champion was trained on."""
    try:
        reference = champion.frame(REFERENCE_ROWS_FILE)
    except Refused:
        return None
    reference = at_the_same_hours(reference, rows, spec, strata_of(champion))
    ordered = rows.sort_values(spec.timestamp, kind="stable")
    current = comparable(ordered, spec).set_index(pd.DatetimeIndex(ordered[spec.timestamp]))
    if spec.timestamp in reference:  # unlike in versions of old
        reference = reference.set_index(spec.timestamp)
    with estimator.one_thread():
        return tell_apart(
            reference,
            current,
            sensitivity=spec.sensitivity,
            dependence=spec.dependence,
            chance=chance,
        )


def estimate_performance(
    scene: Scene, spec: ModelSpec, champion: ServedModel
) -> PerformanceEstimate | None:
    """The metric to expect of the rows without their labels; None where that was not learnt."""
    kept = _kept(champion, PERFORMANCE_ESTIMATION_FILE)
    expectation = Expectation.model_validate(kept) if kept else None
    if expectation is None or expectation.metric != spec.metric:
        return None
    found = (
        _by_loss(scene, spec, champion)
        if spec.task is Task.REGRESSION
        else _by_confidence(scene, spec, champion, expectation)
    )
    if found is None:
        return None
    return expectation.beside(found, tolerance=spec.tolerance, chance=scene.chance)


def _where_labelled(
    scene: Scene, spec: ModelSpec, champion: ServedModel, estimate: PerformanceEstimate | None
) -> PerformanceEstimate | None:
    """The estimate on the rows that the realised figure is from."""
    if estimate is None or scene.labelled.all():
        return estimate
    rows, predictions, labelled, chance = scene
    known = Scene(rows[labelled], predictions[labelled], labelled[labelled], chance)
    return estimate_performance(known, spec, champion)


def _by_loss(scene: Scene, spec: ModelSpec, champion: ServedModel) -> Expected | None:
    known = scene.predictions.notna()
    rows, predictions = scene.rows[known], scene.predictions[known]
    try:
        model = champion.companion(LOSS_FILE)
    except Refused:
        return None
    losses = estimator.expected_loss(model, estimator.loss_inputs(rows, predictions, spec))
    alike = estimator.alike(rows, spec)
    return expected_by_loss(losses, predictions.to_numpy(dtype="float64"), alike=alike)


def _by_confidence(
    scene: Scene, spec: ModelSpec, champion: ServedModel, expectation: Expectation
) -> Expected | None:
    """From the chances on record, or else from those that the champion tells when asked."""
    known = scene.predictions.notna()
    rows, predictions = scene.rows[known], scene.predictions[known]
    for model in (answering(champion, rows, spec), champion.load()):
        scores = estimator.chances(model, rows, spec) if len(rows) else None
        if scores is not None and scores.shape[1] == len(expectation.curves):
            chances = chances_of(scores, expectation.curves)
            predicted = places(estimator.classes(model), predictions)
            return expected_by_confidence(
                spec.metric,
                scores,
                chances,
                predicted=predicted,
                alike=estimator.alike(rows, spec),
            )
    return None


def _kept(champion: ServedModel, name: str) -> Mapping[str, JsonValue]:
    try:
        return champion.artifact(name)
    except Refused:
        return {}

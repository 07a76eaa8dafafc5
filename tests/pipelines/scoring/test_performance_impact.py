"""The cost of a window's drift is estimated before its labels are known."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, make_spec
from tests.pipelines.versions import classes, sales, train_version
from trimtab.contracts.drift import FeatureKind, FeatureRole
from trimtab.contracts.fitted import (
    IMPORTANCE_FILE,
    LOSS_FILE,
    PERFORMANCE_ESTIMATION_FILE,
    REFERENCE_ROWS_FILE,
    ServedModel,
)
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.detection.drift.column_drift import measure_feature_drift
from trimtab.detection.performance.performance_impact import PerformanceImpact
from trimtab.pipelines.history.profiling import load_reference_profile, profile_rows
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.scoring.metrics import score_model
from trimtab.pipelines.scoring.performance_impact import PredictedWindow, estimate_impact
from trimtab.pipelines.scoring.predictions import predict_outputs, predict_targets
from trimtab.pipelines.scoring.realised_performance import (
    build_realised_metric,
    compute_loss_error,
    measure_performance_change,
)

LATER = START + 3 * WEEK
FEATURES = (
    {"name": "price", "kind": "numeric"},
    {"name": "shop", "kind": "categorical"},
    {"name": "colour", "kind": "categorical"},
)
REGRESSION = make_spec(features=FEATURES)


@pytest.fixture(scope="module")
def champion() -> ServedModel:
    return train_version(sales(), REGRESSION)


def estimate(
    rows: pd.DataFrame, model: ModelSpec, version: ServedModel, *, labelled: bool
) -> PerformanceImpact:
    known = pd.Series(data=labelled, index=rows.index)
    found = build_realised_metric(version, score_model(version.load(), rows[known], model), model)
    return estimate_impact(
        PredictedWindow(rows, predict_outputs(version.load(), rows, model), known),
        model,
        version,
        performance=measure_performance_change(version, found, model),
        error=compute_loss_error(version, found, model.metric),
    )


def later(**changes: Any) -> pd.DataFrame:
    return sales(2000, start=LATER, seed=1, **changes)


def high_prices() -> Any:
    """Prices where the champion errs most."""
    return np.random.default_rng(2).gamma(16.0, 3.0, 2000)


def test_an_ordinary_window_is_not_expected_to_degrade(champion: ServedModel) -> None:
    found = estimate(later(), REGRESSION, champion, labelled=False)

    assert found.estimate is not None
    assert found.estimate.method == "direct_loss"
    assert not found.estimate.degraded
    assert found.multivariate is not None
    assert not found.multivariate.drifted
    assert found.concept_loss is None


def test_covariate_shift_into_noise_degrades_the_estimate_and_explains_the_loss(
    champion: ServedModel,
) -> None:
    rows = later(price=high_prices())
    found = estimate(rows, REGRESSION, champion, labelled=True)

    assert found.estimate is not None
    assert found.estimate.degraded
    assert found.multivariate is not None
    assert next(iter(found.multivariate.importance)) == "price"
    lost = champion.metrics["r2"] - score_model(champion.load(), rows, REGRESSION)[0]  # type: ignore[operator]  # both are numbers here
    assert found.concept_loss is not None
    assert found.concept_loss < 0.5 * lost


def test_an_inverted_target_is_concept_drift(champion: ServedModel) -> None:
    turned = later()
    turned["revenue"] = 400.0 - turned["revenue"]

    found = estimate(turned, REGRESSION, champion, labelled=True)

    assert found.estimate is not None
    assert not found.estimate.degraded
    assert found.concept_loss is not None
    assert found.concept_loss > 0.5


def test_importance_ranks_features_by_their_use_to_the_champion(champion: ServedModel) -> None:
    found = estimate(later(), REGRESSION, champion, labelled=False).importance

    assert set(found) == {"price", "shop", "colour"}
    assert found["price"] > found["shop"] > found["colour"]
    assert found["colour"] == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("metric", ["roc_auc", "balanced_accuracy"])
def test_classifiers_are_estimated_from_their_confidence(metric: str) -> None:
    model = classes(metric, features=FEATURES)

    def rows(**changes: Any) -> pd.DataFrame:
        made = sales(**changes)
        return made.assign(revenue=made["revenue"] > 265.0)

    version = train_version(rows(), model)
    found = estimate(rows(rows=2000, start=LATER, seed=1), model, version, labelled=True)

    assert found.estimate is not None
    assert found.estimate.method == "confidence_based"
    assert not found.estimate.degraded
    assert found.estimate.reference == pytest.approx(version.metrics[metric], abs=0.04)
    assert found.concept_loss == 0.0


def test_a_metric_of_some_rows_is_compared_with_the_estimate_on_the_same_rows(
    champion: ServedModel,
) -> None:
    rows = later()
    known = pd.Series(np.arange(len(rows)) < 500, index=rows.index)
    found = build_realised_metric(
        champion, score_model(champion.load(), rows[known], REGRESSION), REGRESSION
    )

    impact = estimate_impact(
        PredictedWindow(rows, predict_targets(champion.load(), rows, REGRESSION), known),
        REGRESSION,
        champion,
        performance=measure_performance_change(champion, found, REGRESSION),
        error=compute_loss_error(champion, found, "r2"),
    )

    assert impact.estimate is not None
    assert impact.estimate.rows == 2000
    assert impact.concept_loss == 0.0


def test_a_version_without_artifacts_has_an_unknown_impact(champion: ServedModel) -> None:
    bare = ServedModel(
        version="1", run_id="r", metrics={}, tags={}, load=champion.load,
        artifact=refuse,
    )  # fmt: skip

    assert estimate(later(), REGRESSION, bare, labelled=True) == PerformanceImpact()


def refuse(name: str) -> Any:
    raise Refused(name)


def test_too_few_rows_are_not_judged(champion: ServedModel) -> None:
    found = estimate(later().head(50), REGRESSION, champion, labelled=False)

    assert (found.estimate, found.multivariate, found.concept_loss) == (None, None, None)


def test_a_reference_of_another_metric_is_not_used(champion: ServedModel) -> None:
    kept = dict(champion.artifact(PERFORMANCE_ESTIMATION_FILE))
    other = serve_with(champion, {**kept, "metric": "mae"})

    assert estimate(later(), REGRESSION, other, labelled=False).estimate is None


def serve_with(champion: ServedModel, reference: dict[str, Any]) -> ServedModel:
    def artifact(name: str) -> Any:
        return reference if name == PERFORMANCE_ESTIMATION_FILE else champion.artifact(name)

    return ServedModel(
        version="1", run_id="r", metrics=champion.metrics, tags={}, load=champion.load,
        artifact=artifact, frame=champion.frame, companion=champion.companion,
    )  # fmt: skip


def test_stored_artifacts_are_small(champion: ServedModel) -> None:
    rows = champion.frame(REFERENCE_ROWS_FILE)

    assert list(rows.columns) == ["price", "shop", "colour", "at"]
    assert len(rows) == 3000
    assert str(rows["price"].dtype) == "float32"
    assert champion.companion(LOSS_FILE) is not None
    assert set(champion.artifact(IMPORTANCE_FILE)) == {"price", "shop", "colour"}


def test_scores_drift_though_classes_are_as_frequent_as_before() -> None:
    model = classes("roc_auc", features=FEATURES)
    ranked = sales(4000, start=LATER, seed=1)
    truth = ranked["revenue"] > 265.0
    version = train_version(sales().assign(revenue=lambda made: made["revenue"] > 265.0), model)
    scores = predict_outputs(version.load(), ranked, model)
    sides = scores[scores < 0.5], 1.0 - scores[scores > 0.5]
    sure = [side.nsmallest(len(side) // 2).index for side in sides]
    rows = ranked.assign(revenue=truth).loc[sure[0].union(sure[1])].reset_index(drop=True)
    reference = load_reference_profile(version)

    current = profile_rows(
        rows,
        model,
        time_range=TimeRange(LATER, LATER + WEEK),
        predictions=predict_outputs(version.load(), rows, model),
        like=reference,
    )

    found = {each.role: each for each in measure_feature_drift(reference, current)}[
        FeatureRole.PREDICTION
    ]
    assert found.kind is FeatureKind.NUMERIC
    assert found.drifted


def test_values_beyond_single_precision_are_compared(
    champion: ServedModel,
) -> None:
    found = estimate(later(price=1e300), REGRESSION, champion, labelled=True)

    assert found.multivariate is not None
    assert found.multivariate.drifted

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import make_spec, make_table
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.pipelines.scoring.estimator import fit_estimator
from trimtab.pipelines.scoring.metrics import score_model
from trimtab.pipelines.scoring.predictions import predict_targets


def sales(rows: int = 600, **columns: Any) -> pd.DataFrame:
    frame = make_table(rows)
    frame["revenue"] = 100 + 5 * frame["price"] + 40 * (frame["shop"] == "north")
    frame["at"] = pd.date_range("2026-01-05", periods=rows, freq="h", tz="UTC")
    return frame.assign(**columns)


def classes(metric: str = "roc_auc", **changes: Any) -> ModelSpec:
    return make_spec(task=Task.CLASSIFICATION, metric=metric, target_minimum=None, **changes)


def test_a_learnable_target_is_learned() -> None:
    model = fit_estimator(sales(), make_spec(), seed=0)

    value, rows, _ = score_model(model, sales(), make_spec())

    assert value is not None
    assert value > 0.95
    assert rows == 600


def test_the_same_seed_gives_the_same_model() -> None:
    one, other = (fit_estimator(sales(), make_spec(), seed=3) for _ in range(2))

    assert predict_targets(one, sales(), make_spec()).equals(
        predict_targets(other, sales(), make_spec())
    )


def test_categories_never_seen_and_missing_values_can_be_scored() -> None:
    model = fit_estimator(sales(), make_spec(), seed=0)

    predictions = predict_targets(model, sales(4, shop=["moon", None, "north", ""]), make_spec())
    without = predict_targets(model, sales(2).drop(columns="price"), make_spec())

    assert predictions.notna().all()
    assert without.notna().all()


def test_more_categories_than_the_trees_take_can_be_learned() -> None:
    names = [f"shop {number % 400}" for number in range(2000)]

    model = fit_estimator(sales(2000, shop=names), make_spec(), seed=0)

    assert score_model(model, sales(2000, shop=names), make_spec())[0] is not None


@pytest.mark.parametrize("column", ["price", "shop"])
def test_an_empty_feature_does_not_prevent_training(column: str) -> None:
    model = fit_estimator(sales().assign(**{column: None}), make_spec(), seed=0)

    assert predict_targets(model, sales(), make_spec()).notna().all()


def test_a_model_without_categories_can_be_trained() -> None:
    numeric = make_spec(features=({"name": "price", "kind": "numeric"},))

    assert score_model(fit_estimator(sales(), numeric, seed=0), sales(), numeric)[1] == 600


@pytest.mark.parametrize("metric", ["roc_auc", "balanced_accuracy"])
def test_two_classes_are_distinguished(metric: str) -> None:
    rows = sales(revenue=sales()["revenue"] > 200)
    model = fit_estimator(rows, classes(metric), seed=0)

    value, _, _ = score_model(model, rows, classes(metric))

    assert value is not None
    assert value > 0.9
    assert set(predict_targets(model, rows, classes(metric))) == {"True", "False"}


def test_no_clean_rows_give_no_metric() -> None:
    model = fit_estimator(sales(), make_spec(), seed=0)

    assert score_model(model, sales(revenue=-1.0), make_spec()) == (None, 0, None)
    assert score_model(model, sales().head(0), make_spec()) == (None, 0, None)


def test_a_constant_target_gives_no_metric() -> None:
    model = fit_estimator(sales(), make_spec(), seed=0)

    assert score_model(model, sales(revenue=7.0), make_spec()) == (None, 600, None)


def test_a_single_class_cannot_be_learned() -> None:
    with pytest.raises(Refused, match="fewer than two classes"):
        fit_estimator(sales(revenue="yes"), classes(), seed=0)


def test_roc_auc_needs_two_classes() -> None:
    rows = sales(revenue=np.tile(["a", "b", "c"], 200))
    model = fit_estimator(rows, classes(), seed=0)

    with pytest.raises(Refused, match="needs two classes"):
        score_model(model, rows, classes())

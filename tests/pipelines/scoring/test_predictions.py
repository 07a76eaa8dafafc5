"""Logged predictions are used if they are configured and suitable, else the champion."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import make_spec
from tests.pipelines.versions import classes, sales
from trimtab.contracts.fitted import ServedModel
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.tags import EFFECT_KEY_TAG
from trimtab.detection.onboarding.predictions import LoggedPredictions
from trimtab.pipelines.scoring.metrics import score_model
from trimtab.pipelines.scoring.predictions import choose_predictor, predict_targets

AMOUNTS = make_spec(prediction="logged")


class Model:
    classes_ = np.array(["False", "True"])


def champion(**tags: str) -> ServedModel:
    return ServedModel(
        version="1", run_id="r", metrics={}, tags=tags, load=Model, artifact=lambda _: {}
    )


def rows(logged: Any) -> pd.DataFrame:
    made = sales(4)
    return made.assign(logged=logged, revenue=[True, False, True, False])


def choose(model: ModelSpec, logged: Any, **tags: str) -> Any:
    return choose_predictor(champion(**tags), rows(logged), model)


def test_logged_numbers_are_used() -> None:
    found = choose(AMOUNTS, [1.0, 2.0, None, 4.0])

    assert found == LoggedPredictions("logged", AMOUNTS.task)
    assert predict_targets(found, rows([1.0, 2.0, None, 4.0]), AMOUNTS).isna().sum() == 1


def test_logged_probabilities_are_scored_as_probabilities() -> None:
    model, logged = classes(prediction="logged"), [0.9, 0.2, 0.8, 0.1]

    found = choose(model, logged)

    assert found == LoggedPredictions("logged", model.task, ("False", "True"))
    assert score_model(found, rows(logged), model).value == 1.0
    assert list(predict_targets(found, rows(logged), model)) == ["True", "False"] * 2


def test_logged_classes_are_used() -> None:
    model = classes("balanced_accuracy", prediction="logged")

    found = choose(model, [True, False, False, False])

    assert found == LoggedPredictions("logged", model.task)
    assert score_model(found, rows([True, False, False, False]), model).value == 0.75


def test_the_champion_is_asked_if_the_metric_needs_scores_and_classes_are_logged() -> None:
    assert isinstance(choose(classes(prediction="logged"), [True, False, True, False]), Model)


@pytest.mark.parametrize("logged", [None, float("nan")])
def test_the_champion_is_asked_if_nothing_is_logged(logged: Any) -> None:
    assert isinstance(choose(AMOUNTS, logged), Model)
    assert isinstance(choose_predictor(champion(), sales(4), AMOUNTS), Model)


def test_a_version_that_trimtab_retrained_is_asked() -> None:
    assert isinstance(choose(AMOUNTS, 1.0, **{EFFECT_KEY_TAG: "k"}), Model)


def test_the_champion_is_asked_if_no_column_is_configured() -> None:
    assert isinstance(choose(make_spec(), 1.0), Model)

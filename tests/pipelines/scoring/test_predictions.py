"""What was predicted is on record where the configuration says so; else the champion is asked."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import spec
from tests.pipelines.versions import classes, sales
from trimtab.contracts.fitted import ServedModel
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.tags import EFFECT_KEY_TAG
from trimtab.detection.onboarding.predictions import Recorded
from trimtab.pipelines.scoring.metrics import score_model
from trimtab.pipelines.scoring.predictions import choose_predictor, predict_targets

AMOUNTS = spec(prediction="said")


class Model:
    classes_ = np.array(["False", "True"])


def champion(**tags: str) -> ServedModel:
    return ServedModel(
        version="1", run_id="r", metrics={}, tags=tags, load=Model, artifact=lambda _: {}
    )


def rows(said: Any) -> pd.DataFrame:
    made = sales(4)
    return made.assign(said=said, revenue=[True, False, True, False])


def who(model: ModelSpec, said: Any, **tags: str) -> Any:
    return choose_predictor(champion(**tags), rows(said), model)


def test_numbers_on_record_are_used() -> None:
    found = who(AMOUNTS, [1.0, 2.0, None, 4.0])

    assert found == Recorded("said", AMOUNTS.task)
    assert predict_targets(found, rows([1.0, 2.0, None, 4.0]), AMOUNTS).isna().sum() == 1


def test_chances_on_record_are_scored_as_chances() -> None:
    model, said = classes(prediction="said"), [0.9, 0.2, 0.8, 0.1]

    found = who(model, said)

    assert found == Recorded("said", model.task, ("False", "True"))
    assert score_model(found, rows(said), model).value == 1.0
    assert list(predict_targets(found, rows(said), model)) == ["True", "False"] * 2


def test_classes_on_record_are_classes() -> None:
    model = classes("balanced_accuracy", prediction="said")

    found = who(model, [True, False, False, False])

    assert found == Recorded("said", model.task)
    assert score_model(found, rows([True, False, False, False]), model).value == 0.75


def test_for_an_area_classes_do_not_do_and_the_champion_is_asked() -> None:
    assert isinstance(who(classes(prediction="said"), [True, False, True, False]), Model)


@pytest.mark.parametrize("said", [None, float("nan")])
def test_where_nothing_is_on_record_the_champion_is_asked(said: Any) -> None:
    assert isinstance(who(AMOUNTS, said), Model)
    assert isinstance(choose_predictor(champion(), sales(4), AMOUNTS), Model)


def test_a_version_that_trimtab_made_is_asked_again() -> None:
    assert isinstance(who(AMOUNTS, 1.0, **{EFFECT_KEY_TAG: "k"}), Model)


def test_without_a_column_the_champion_is_asked() -> None:
    assert isinstance(who(spec(), 1.0), Model)

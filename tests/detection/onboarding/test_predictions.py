import numpy as np
import pandas as pd
import pytest

from trimtab.contracts.model import Task
from trimtab.detection.onboarding.predictions import find_prediction, why_no_prediction

CHANCE = np.random.default_rng(4)
PRICES = pd.Series(CHANCE.normal(100.0, 20.0, 500))
LEFT = pd.Series(CHANCE.choice(["yes", "no"], 500))


@pytest.mark.parametrize(
    "name",
    ["prediction", "y_pred", "y_hat", "predicted_price", "price_pred", "Predicted", "forecast"],
)
def test_a_column_is_recognised_by_its_name_and_its_values(name: str) -> None:
    rows = pd.DataFrame({"price": PRICES, "size": PRICES, name: PRICES + 1.0})

    found = find_prediction(rows, "price", Task.REGRESSION)

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("name", ["predictable", "weather", "prediction_of", "presented"])
def test_a_name_that_only_sounds_like_it_is_none(name: str) -> None:
    rows = pd.DataFrame({"price": PRICES, name: "sunny"})

    assert find_prediction(rows, "price", Task.REGRESSION) is None


def test_of_several_the_one_that_names_the_target_is_taken() -> None:
    rows = pd.DataFrame(
        {"price": PRICES, "predicted_demand": PRICES, "predicted_price": PRICES, "pred": PRICES}
    )

    found = find_prediction(rows, "price", Task.REGRESSION)

    assert found is not None
    assert found.name == "predicted_price"


def test_classes_and_chances_are_predictions_of_classes() -> None:
    chances = pd.Series(CHANCE.uniform(size=500))

    assert why_no_prediction(LEFT, LEFT, Task.CLASSIFICATION) == ""
    assert why_no_prediction(chances, LEFT, Task.CLASSIFICATION) == ""
    assert "which the target does not" in why_no_prediction(
        chances, pd.Series(["a", "b", "c"] * 10), Task.CLASSIFICATION
    )


def test_what_is_empty_or_no_number_predicts_no_amount() -> None:
    empty = pd.Series([None] * 500, dtype="object")

    assert why_no_prediction(empty, PRICES, Task.REGRESSION) == "it is empty"
    assert "'yes'" in why_no_prediction(pd.Series(["yes"] * 500), PRICES, Task.REGRESSION)

import numpy as np
import pandas as pd
import pytest

from trimtab.contracts.model import Task
from trimtab.detection.onboarding.predictions import explain_no_prediction, find_prediction_column

RANDOM = np.random.default_rng(4)
PRICES = pd.Series(RANDOM.normal(100.0, 20.0, 500))
LEFT = pd.Series(RANDOM.choice(["yes", "no"], 500))


@pytest.mark.parametrize(
    "name",
    ["prediction", "y_pred", "y_hat", "predicted_price", "price_pred", "Predicted", "forecast"],
)
def test_a_prediction_column_is_recognised_by_its_name_and_its_values(name: str) -> None:
    rows = pd.DataFrame({"price": PRICES, "size": PRICES, name: PRICES + 1.0})

    found = find_prediction_column(rows, "price", Task.REGRESSION)

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("name", ["predictable", "weather", "prediction_of", "presented"])
def test_a_name_that_only_resembles_one_is_no_prediction(name: str) -> None:
    rows = pd.DataFrame({"price": PRICES, name: "sunny"})

    assert find_prediction_column(rows, "price", Task.REGRESSION) is None


def test_of_several_columns_the_one_with_the_name_of_the_target_is_chosen() -> None:
    rows = pd.DataFrame(
        {"price": PRICES, "predicted_demand": PRICES, "predicted_price": PRICES, "pred": PRICES}
    )

    found = find_prediction_column(rows, "price", Task.REGRESSION)

    assert found is not None
    assert found.name == "predicted_price"


def test_classes_and_probabilities_are_predictions_of_classes() -> None:
    probabilities = pd.Series(RANDOM.uniform(size=500))

    assert explain_no_prediction(LEFT, LEFT, Task.CLASSIFICATION) == ""
    assert explain_no_prediction(probabilities, LEFT, Task.CLASSIFICATION) == ""
    assert "which the target does not" in explain_no_prediction(
        probabilities, pd.Series(["a", "b", "c"] * 10), Task.CLASSIFICATION
    )


def test_values_that_are_missing_or_no_numbers_are_no_predictions_of_an_amount() -> None:
    empty = pd.Series([None] * 500, dtype="object")

    assert explain_no_prediction(empty, PRICES, Task.REGRESSION) == "it is empty"
    assert "'yes'" in explain_no_prediction(pd.Series(["yes"] * 500), PRICES, Task.REGRESSION)

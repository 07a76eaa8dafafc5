import numpy as np
import pandas as pd
import pytest

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Task
from trimtab.detection.onboarding.leakage import find_leakage

RANDOM = np.random.default_rng(7)
ROWS = 6000
AMOUNT = pd.Series(RANDOM.gamma(2.0, 100.0, ROWS))
CLASS = pd.Series(RANDOM.choice(["yes", "no", "maybe"], ROWS, p=[0.6, 0.35, 0.05]))
NOISE = pd.Series(RANDOM.normal(size=ROWS))


@pytest.mark.parametrize(
    "column",
    [
        AMOUNT,
        AMOUNT * -3 + 7,
        np.log(AMOUNT),
        np.sqrt(AMOUNT) + NOISE * 0.001,
        AMOUNT.round(),
        AMOUNT.where(NOISE < 2),
        (AMOUNT - 200).abs() * np.sign(AMOUNT - 200) ** 2 + AMOUNT * 5,
    ],
)
def test_a_number_that_predicts_the_amount_is_leakage(column: pd.Series) -> None:
    leakage = find_leakage(column, AMOUNT, kind=FeatureKind.NUMERIC, task=Task.REGRESSION)

    assert "leaks the target" in leakage


@pytest.mark.parametrize(
    "column", [AMOUNT + NOISE * 20, NOISE, AMOUNT.shift(1), pd.Series([np.nan] * ROWS)]
)
def test_an_honest_number_is_no_leakage(column: pd.Series) -> None:
    assert not find_leakage(column, AMOUNT, kind=FeatureKind.NUMERIC, task=Task.REGRESSION)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (CLASS, FeatureKind.CATEGORICAL),
        (CLASS.map({"yes": "J", "no": "N", "maybe": "V"}), FeatureKind.CATEGORICAL),
        (CLASS + "-" + (NOISE * 10).round().astype(str), FeatureKind.CATEGORICAL),
        (CLASS.map({"yes": 1, "no": 0, "maybe": 7}), FeatureKind.NUMERIC),
        (CLASS.map({"yes": 10.0, "no": 20.0, "maybe": 30.0}) + NOISE * 0.5, FeatureKind.NUMERIC),
    ],
)
def test_a_column_that_maps_to_the_class_is_leakage(column: pd.Series, kind: FeatureKind) -> None:
    assert find_leakage(column, CLASS, kind=kind, task=Task.CLASSIFICATION)


def test_a_missing_value_that_shows_the_class_is_leakage() -> None:
    column = NOISE.where(CLASS == "yes")
    target = (CLASS == "yes").astype(int)

    assert find_leakage(column, target, kind=FeatureKind.NUMERIC, task=Task.CLASSIFICATION)


def test_a_rare_class_is_not_outvoted() -> None:
    rare = pd.Series(RANDOM.random(ROWS) < 0.01)
    always_no = pd.Series(["no"] * ROWS)

    assert not find_leakage(always_no, rare, kind=FeatureKind.CATEGORICAL, task=Task.CLASSIFICATION)


def test_a_strong_but_honest_column_is_no_leakage() -> None:
    column = CLASS.where(RANDOM.random(ROWS) < 0.95, "no")

    assert not find_leakage(column, CLASS, kind=FeatureKind.CATEGORICAL, task=Task.CLASSIFICATION)


def test_rows_without_a_target_show_no_leakage() -> None:
    empty = pd.Series([None] * ROWS)

    assert not find_leakage(NOISE, empty, kind=FeatureKind.NUMERIC, task=Task.CLASSIFICATION)

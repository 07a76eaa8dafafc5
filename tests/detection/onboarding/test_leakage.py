import numpy as np
import pandas as pd
import pytest

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Task
from trimtab.detection.onboarding.leakage import gives_away

CHANCE = np.random.default_rng(7)
ROWS = 6000
AMOUNT = pd.Series(CHANCE.gamma(2.0, 100.0, ROWS))
CLASS = pd.Series(CHANCE.choice(["yes", "no", "maybe"], ROWS, p=[0.6, 0.35, 0.05]))
NOISE = pd.Series(CHANCE.normal(size=ROWS))


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
def test_a_number_that_tells_the_amount_gives_it_away(column: pd.Series) -> None:
    told = gives_away(column, AMOUNT, kind=FeatureKind.NUMERIC, task=Task.REGRESSION)

    assert "gives the target away" in told


@pytest.mark.parametrize(
    "column", [AMOUNT + NOISE * 20, NOISE, AMOUNT.shift(1), pd.Series([np.nan] * ROWS)]
)
def test_an_honest_number_does_not_give_the_amount_away(column: pd.Series) -> None:
    assert not gives_away(column, AMOUNT, kind=FeatureKind.NUMERIC, task=Task.REGRESSION)


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
def test_a_column_that_maps_to_the_class_gives_it_away(
    column: pd.Series, kind: FeatureKind
) -> None:
    assert gives_away(column, CLASS, kind=kind, task=Task.CLASSIFICATION)


def test_a_gap_that_tells_the_class_gives_it_away() -> None:
    column = NOISE.where(CLASS == "yes")
    target = (CLASS == "yes").astype(int)

    assert gives_away(column, target, kind=FeatureKind.NUMERIC, task=Task.CLASSIFICATION)


def test_a_rare_class_is_not_outvoted() -> None:
    rare = pd.Series(CHANCE.random(ROWS) < 0.01)
    always_no = pd.Series(["no"] * ROWS)

    assert not gives_away(always_no, rare, kind=FeatureKind.CATEGORICAL, task=Task.CLASSIFICATION)


def test_a_strong_but_honest_column_does_not_give_the_class_away() -> None:
    column = CLASS.where(CHANCE.random(ROWS) < 0.95, "no")

    assert not gives_away(column, CLASS, kind=FeatureKind.CATEGORICAL, task=Task.CLASSIFICATION)


def test_rows_without_a_target_tell_nothing() -> None:
    empty = pd.Series([None] * ROWS)

    assert not gives_away(NOISE, empty, kind=FeatureKind.NUMERIC, task=Task.CLASSIFICATION)

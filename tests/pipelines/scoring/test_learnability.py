"""Broken labels cannot be learnt from their own window; a changed world can."""

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, make_spec
from tests.pipelines.versions import classes, sales, train_version
from trimtab.contracts.fitted import LEARNABILITY_FILE, ServedModel
from trimtab.pipelines.scoring.learnability import (
    cross_validate_rows,
    load_reference_learnability,
    measure_learnability,
)

MODEL = make_spec()
LATER = START + 3 * WEEK


@pytest.fixture(scope="module")
def champion() -> ServedModel:
    return train_version(sales(), MODEL)


def week(seed: int = 1) -> pd.DataFrame:
    return sales(3000, start=LATER, seed=seed).head(1000)


def test_training_stores_how_well_its_windows_can_be_learnt(champion: ServedModel) -> None:
    stored = champion.artifact(LEARNABILITY_FILE)

    assert stored["windows"] == 3
    assert load_reference_learnability(champion, MODEL) == stored["value"]
    assert load_reference_learnability(champion, make_spec(metric="other")) is None


def test_a_changed_world_is_as_learnable_as_the_reference(champion: ServedModel) -> None:
    rows = week().assign(revenue=lambda each: 400.0 - 0.5 * each["revenue"])

    found = measure_learnability(rows, MODEL, champion)

    assert found is not None
    assert found.reference is not None
    assert found.value == pytest.approx(found.reference, abs=0.15)


def test_shuffled_labels_cannot_be_learnt(champion: ServedModel) -> None:
    rows = week()
    rows["revenue"] = np.random.default_rng(0).permutation(rows["revenue"])

    found = measure_learnability(rows, MODEL, champion)

    assert found is not None
    assert found.value < 0.1


def test_a_few_rows_or_positives_are_not_measured(champion: ServedModel) -> None:
    rare = week().assign(revenue=np.arange(1000) % 100 == 0)

    assert measure_learnability(week().head(50), MODEL, champion) is None
    assert cross_validate_rows(rare, classes()) is None


def test_rows_of_one_instant_are_split_at_random() -> None:
    rows = week().assign(at=LATER).sort_values("revenue")

    score = cross_validate_rows(rows, MODEL)

    assert score is not None
    assert score.value is not None
    assert score.value > 0.4


def test_classes_are_learnt_with_their_scores() -> None:
    rows = week().assign(revenue=lambda each: each["revenue"] > 265.0)

    score = cross_validate_rows(rows, classes("roc_auc"))

    assert score is not None
    assert score.value is not None
    assert score.value > 0.9

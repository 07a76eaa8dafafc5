"""A loss on rows without support is no concept drift."""

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, make_spec
from tests.pipelines.scoring.test_performance_impact import estimate
from tests.pipelines.versions import sales, train_version
from trimtab.contracts.fitted import ServedModel
from trimtab.pipelines.scoring.support import list_relevant_features, split_support

MODEL = make_spec()
LATER = START + 3 * WEEK


@pytest.fixture(scope="module")
def champion() -> ServedModel:
    return train_version(make_sales(0), MODEL)


def make_sales(seed: int, *, start: object = START) -> pd.DataFrame:
    rows = sales(3000, start=start, seed=seed)
    noise = np.random.default_rng(seed).normal(0.0, 5.0, len(rows))
    return rows.assign(revenue=200.0 + 3.0 * rows["price"] + noise)


def share_outside(rows: pd.DataFrame, champion: ServedModel) -> float:
    found = split_support(rows, MODEL, champion, importance={"price": 1.0, "shop": 0.5})
    assert found is not None
    return float(found[1].mean())


def in_new_region(rows: pd.DataFrame) -> pd.DataFrame:
    """Move a third of the rows to prices that were not there, where revenue falls."""
    moved = np.arange(len(rows)) % 3 == 0
    prices = np.where(moved, np.random.default_rng(1).uniform(90, 130, len(rows)), rows["price"])
    revenue = np.where(moved, 600.0 - 3.0 * prices, rows["revenue"])
    return rows.assign(price=prices, revenue=revenue)


def test_a_window_like_the_training_rows_is_inside(champion: ServedModel) -> None:
    assert share_outside(make_sales(1, start=LATER), champion) < 0.01


def test_unknown_values_and_new_combinations_are_outside(champion: ServedModel) -> None:
    rows = make_sales(1, start=LATER)
    third = np.arange(len(rows)) % 3 == 0
    dear = rows.assign(price=rows["price"].where(~third, 500.0))
    strange = rows.assign(shop=rows["shop"].where(~third, "moon"))

    assert share_outside(dear, champion) == pytest.approx(1 / 3, abs=0.02)
    assert share_outside(strange, champion) == pytest.approx(1 / 3, abs=0.02)
    assert share_outside(in_new_region(rows), champion) == pytest.approx(1 / 3, abs=0.05)


def test_a_feature_without_importance_does_not_count(champion: ServedModel) -> None:
    rows = make_sales(1, start=LATER).assign(shop="moon")

    found = split_support(rows, MODEL, champion, importance={"price": 1.0, "shop": 0.001})

    assert found is not None
    assert found[1].mean() < 0.01
    assert list_relevant_features(MODEL, {}) == MODEL.features


def test_a_loss_in_a_new_region_is_not_concept_drift(champion: ServedModel) -> None:
    impact = estimate(in_new_region(make_sales(1, start=LATER)), MODEL, champion, labelled=True)

    assert impact.support is not None
    assert impact.support.inside is not None
    assert impact.support.outside is not None
    assert impact.support.inside > 0.9 > impact.support.outside
    assert impact.concept_loss == 0.0


def test_a_changed_concept_is_inside(champion: ServedModel) -> None:
    rows = make_sales(1, start=LATER)

    impact = estimate(rows.assign(revenue=500.0 - rows["revenue"]), MODEL, champion, labelled=True)

    assert impact.support is not None
    assert impact.support.share_outside < 0.02
    assert impact.concept_loss is not None
    assert impact.concept_loss > 0.5


def test_a_version_without_rows_has_no_support(champion: ServedModel) -> None:
    bare = ServedModel(
        version="1", run_id="r", metrics={}, tags={}, load=champion.load, artifact=champion.artifact
    )

    assert split_support(make_sales(1), MODEL, bare, importance={}) is None

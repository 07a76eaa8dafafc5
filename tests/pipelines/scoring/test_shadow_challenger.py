"""A shadow challenger shows whether a new model would be better."""

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, make_spec
from tests.pipelines.versions import classes, sales, train_version
from trimtab.contracts.fitted import ServedModel
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.scoring.shadow_challenger import LabelledWindow, measure_shadow_challenger

MODEL = make_spec()
LATER = START + 3 * WEEK
WINDOW = TimeRange(LATER, LATER + WEEK)


@pytest.fixture(scope="module")
def champion() -> ServedModel:
    return train_version(sales(), MODEL)


def week(seed: int = 1) -> pd.DataFrame:
    return sales(3000, start=LATER, seed=seed).head(600)


def make_history(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([sales(), rows], ignore_index=True)


def test_nothing_is_gained_in_an_unchanged_world(champion: ServedModel) -> None:
    window = LabelledWindow(week(), WINDOW)

    found = measure_shadow_challenger(window, make_history(window.rows), MODEL, champion)

    assert found is not None
    assert found.error is not None
    assert found.gain < 3.0 * found.error
    assert (found.rows, found.positives) == (300, None)


def test_a_new_model_is_better_in_a_changed_world(champion: ServedModel) -> None:
    rows = week().assign(revenue=lambda each: 500.0 - each["revenue"])

    found = measure_shadow_challenger(
        LabelledWindow(rows, WINDOW, lossy=1), make_history(rows), MODEL, champion
    )

    assert found is not None
    assert found.error is not None
    assert found.gain > max(0.5, 3.0 * found.error)


def test_few_rows_or_a_champion_that_knows_them_are_not_compared(champion: ServedModel) -> None:
    few = LabelledWindow(week().head(150), WINDOW)
    known = LabelledWindow(sales().tail(600), TimeRange(LATER - WEEK, LATER))

    assert measure_shadow_challenger(few, sales(), MODEL, champion) is None
    assert measure_shadow_challenger(known, sales(), MODEL, champion) is None


def test_rare_classes_are_counted_or_not_compared() -> None:
    model = classes()
    table = sales().assign(revenue=lambda each: each["revenue"] > 290.0)
    version = train_version(table, model)
    rows = week().assign(revenue=lambda each: each["revenue"] > 290.0)
    rare = rows.assign(revenue=np.arange(len(rows)) % 100 == 0)

    found = measure_shadow_challenger(LabelledWindow(rows, WINDOW), table, model, version)

    assert found is not None
    assert found.positives is not None
    assert found.positives >= 15
    assert measure_shadow_challenger(LabelledWindow(rare, WINDOW), table, model, version) is None

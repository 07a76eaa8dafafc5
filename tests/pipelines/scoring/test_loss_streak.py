"""A loss that lasts is told from a loss of one window."""

from typing import Any

import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, make_spec
from tests.pipelines.versions import sales, train_version
from trimtab.contracts.drift import PerformanceChange
from trimtab.contracts.fitted import ServedModel
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.scoring.loss_streak import count_lossy_windows

MODEL = make_spec()


@pytest.fixture(scope="module")
def champion() -> ServedModel:
    return train_version(sales(), MODEL)


def make_history(*, turned_weeks: int) -> pd.DataFrame:
    """Return six weeks; in the last ones revenue is turned round."""
    later = sales(start=START + 3 * WEEK, seed=1)
    turned = later["at"] >= pd.Timestamp(START + (6 - turned_weeks) * WEEK)
    revenue = later["revenue"].where(~turned, 500.0 - later["revenue"])
    return pd.concat([sales(), later.assign(revenue=revenue)], ignore_index=True)


def count(history: pd.DataFrame, champion: ServedModel, current: float = -1.0) -> int:
    fields: dict[str, Any] = {"metric": "r2", "rows": 900, "degraded": True}
    change = PerformanceChange(reference=champion.metrics["r2"], current=current, **fields)
    window = TimeRange(START + 5 * WEEK, START + 6 * WEEK)
    found = count_lossy_windows(change, history, MODEL, champion, window)
    assert found is not None
    return found.windows


@pytest.mark.parametrize("weeks", [1, 2, 3])
def test_each_window_with_a_loss_counts_up_to_the_training_rows(
    weeks: int, champion: ServedModel
) -> None:
    assert count(make_history(turned_weeks=weeks), champion) == weeks


def test_a_window_without_a_loss_looks_back_at_nothing(champion: ServedModel) -> None:
    assert count(make_history(turned_weeks=3), champion, current=champion.metrics["r2"]) == 0
    assert count_lossy_windows(None, sales(), MODEL, champion, TimeRange(START, START)) is None

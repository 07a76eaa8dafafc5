from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import make_spec
from trimtab.contracts.model import Task
from trimtab.contracts.ports import Refused
from trimtab.pipelines.history.rows import (
    build_model_inputs,
    cast_targets,
    find_first_window_start,
    keep_valid_targets,
    read_rows,
)
from trimtab.pipelines.history.time_ranges import TimeRange

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def history(**columns: object) -> pd.DataFrame:
    made = {
        "at": ["2026-01-05 11:59:59", "2026-01-05 12:00:00", "2026-01-06 12:00:00"],
        "price": [1.0, 2.0, 3.0],
        "shop": ["north", "south", None],
        "revenue": [10.0, -1.0, None],
    }
    return pd.DataFrame({**made, **columns})


def test_a_time_range_holds_its_start_and_not_its_end() -> None:
    rows = read_rows(history(), make_spec(), TimeRange(NOON, NOON + timedelta(days=1)))

    assert rows["price"].tolist() == [2.0]


def test_naive_times_are_read_as_utc() -> None:
    rows = read_rows(history(), make_spec(), TimeRange(NOON - timedelta(days=1), NOON))

    assert rows["at"].iloc[0] == pd.Timestamp("2026-01-05 11:59:59", tz="UTC")


def test_reading_rows_does_not_change_the_history() -> None:
    table = history()

    read_rows(table, make_spec(), TimeRange(NOON, NOON + timedelta(days=9)))

    assert table["at"].iloc[0] == "2026-01-05 11:59:59"


def test_rows_with_a_target_below_the_minimum_are_dropped() -> None:
    assert keep_valid_targets(history(), make_spec())["price"].tolist() == [1.0]


def test_rows_with_a_target_above_the_maximum_are_dropped() -> None:
    table = history(revenue=[10.0, 11.0, 1e9])

    assert keep_valid_targets(table, make_spec(target_maximum=11.0))["price"].tolist() == [1.0, 2.0]


def test_classes_become_text_whatever_their_type() -> None:
    classes = make_spec(task=Task.CLASSIFICATION, metric="roc_auc", target_minimum=None)

    assert cast_targets(history(revenue=[1.0, 0.0, None]), classes).tolist()[:2] == ["1", "0"]
    assert cast_targets(history(revenue=[True, False, True]), classes).tolist()[:2] == [
        "True",
        "False",
    ]


def test_the_inputs_are_the_features_in_their_order_and_the_time_features() -> None:
    rows = read_rows(history(), make_spec(), TimeRange(NOON, NOON + timedelta(days=9)))

    table = build_model_inputs(rows, make_spec(time_features=("hour", "weekday", "month")))

    assert table.columns.tolist() == ["price", "shop", "hour", "weekday", "month"]
    assert table.iloc[0].tolist() == [2.0, "south", 12.0, 0.0, 1.0]


def test_a_feature_named_like_a_time_feature_keeps_its_name() -> None:
    model = make_spec(features=({"name": "hour", "kind": "numeric"},), time_features=("hour",))
    rows = read_rows(history(hour=7.0), model, TimeRange(NOON, NOON + timedelta(hours=1)))

    assert build_model_inputs(rows, model).iloc[0].to_dict() == {"hour": 7.0, "at:hour": 12.0}


def test_a_feature_that_the_table_lacks_is_missing_in_every_row() -> None:
    rows = read_rows(
        history().drop(columns="price"), make_spec(), TimeRange(NOON, NOON + timedelta(days=9))
    )

    assert np.isnan(build_model_inputs(rows, make_spec())["price"]).all()


def test_a_table_without_the_target_is_refused_with_its_columns() -> None:
    with pytest.raises(Refused, match="no column 'revenue'; it has at, price, shop"):
        cast_targets(history().drop(columns="revenue"), make_spec())


def test_the_first_window_begins_at_midnight_of_the_first_row_unless_configured() -> None:
    configured = datetime(2026, 1, 4, 6, tzinfo=UTC)

    assert find_first_window_start(history(), make_spec()) == datetime(2026, 1, 5, tzinfo=UTC)
    assert find_first_window_start(history(), make_spec(start=configured)) == configured


def test_a_history_without_a_single_time_is_refused() -> None:
    with pytest.raises(Refused, match="no row of 'sales' has a time in 'at'"):
        find_first_window_start(history(at="never"), make_spec())

"""A history that stays in its engine gives the same as in memory."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import duckdb
import ibis
import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, make_spec, make_table
from trimtab.contracts.ports import Refused
from trimtab.detection.profiles.columns import list_monitored_columns
from trimtab.detection.profiles.frames import profile_column
from trimtab.pipelines.history import remote
from trimtab.pipelines.history.profiling import PredictedRows, profile_history, profile_rows
from trimtab.pipelines.history.rows import find_first_window_start, read_row_times, read_rows
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.inspection.timeline import cut_windows
from trimtab.pipelines.requests import Request

WINDOW = TimeRange(START + WEEK, START + 2 * WEEK)


@pytest.fixture
def here() -> pd.DataFrame:
    rows = make_table(2000)
    rows["at"] = [(START + n * timedelta(minutes=20)).replace(tzinfo=None) for n in range(2000)]
    return rows


@pytest.fixture
def there(here: pd.DataFrame, tmp_path: Any) -> Iterator[Any]:
    path = str(tmp_path / "warehouse.db")
    with duckdb.connect(path) as connection:
        connection.register("here", here)
        connection.execute("CREATE TABLE sales AS FROM here")
    connected = ibis.duckdb.connect(path)
    yield connected.table("sales")
    connected.disconnect()


def test_the_rows_of_a_window_are_the_same(here: pd.DataFrame, there: Any) -> None:
    mine, yours = (read_rows(each, make_spec(), WINDOW) for each in (here, there))

    assert len(mine) == 504
    assert sorted(read_row_times(yours, make_spec())) == sorted(read_row_times(mine, make_spec()))
    assert yours["price"].sum() == pytest.approx(mine["price"].sum())


def test_windows_are_cut_the_same(here: pd.DataFrame, there: Any) -> None:
    request = Request(model="sales")

    assert cut_windows(there, make_spec(), request) == cut_windows(here, make_spec(), request)
    assert find_first_window_start(there, make_spec()) == find_first_window_start(here, make_spec())


def test_all_rows_of_a_window_are_profiled_although_a_sample_is_in_memory(
    here: pd.DataFrame, there: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "MAX_FETCHED_ROWS", 100)
    before, whole = (
        read_rows(here, make_spec(), each) for each in (TimeRange(START, WINDOW.start), WINDOW)
    )
    like = profile_rows(
        before,
        make_spec(),
        time_range=TimeRange(START, WINDOW.start),
        predictions=before["revenue"],
    )
    some = read_rows(there, make_spec(), WINDOW)

    found = profile_history(
        there,
        make_spec(),
        time_range=WINDOW,
        predicted=PredictedRows(some, some["revenue"]),
        like=like,
    )

    assert 40 < len(some) < 200
    counted = profile_rows(
        whole, make_spec(), time_range=WINDOW, predictions=whole["revenue"], like=like
    )
    assert found.window == counted.window
    assert found.newest == counted.newest
    for mine, yours in zip(counted.columns[:-1], found.columns[:-1], strict=True):
        assert yours.counts == mine.counts
    prediction = list_monitored_columns(make_spec())[-1]
    assert found.columns[-1] == profile_column(
        some["revenue"], prediction, like=like.find(prediction.name)
    )


def test_targets_that_are_not_known_yet_do_not_count_as_missing(
    here: pd.DataFrame, there: Any
) -> None:
    rows = read_rows(here, make_spec(), WINDOW)
    like = profile_rows(rows, make_spec(), time_range=WINDOW, predictions=rows["revenue"])
    until = WINDOW.start + timedelta(days=2)

    found = profile_history(
        there,
        make_spec(),
        time_range=WINDOW,
        predicted=PredictedRows(rows, rows["revenue"]),
        like=like,
        labelled_until=until,
    )

    target = found.find("revenue")
    assert target is not None
    assert (target.rows, target.nulls) == (144, 0)


def test_times_stored_as_numbers_are_refused_with_the_remedy(there: Any) -> None:
    with pytest.raises(Refused, match="needs a date or a timestamp"):
        read_rows(there, make_spec(timestamp="price", features=make_spec().features[1:]), WINDOW)

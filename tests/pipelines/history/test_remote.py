"""A history that stays in its engine gives what the same history in memory gives."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import duckdb
import ibis
import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, spec, table
from trimtab.contracts.ports import Refused
from trimtab.detection.profiles.columns import list_monitored_columns
from trimtab.detection.profiles.frames import profile_column
from trimtab.pipelines.history import remote
from trimtab.pipelines.history.profiling import PredictedRows, profile_history, profile_rows
from trimtab.pipelines.history.rows import find_first_window_start, read_row_times, read_rows
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.inspection.timeline import cut_windows
from trimtab.pipelines.requests import Request

SPAN = TimeRange(START + WEEK, START + 2 * WEEK)


@pytest.fixture
def here() -> pd.DataFrame:
    rows = table(2000)
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
    mine, yours = (read_rows(each, spec(), SPAN) for each in (here, there))

    assert len(mine) == 504
    assert sorted(read_row_times(yours, spec())) == sorted(read_row_times(mine, spec()))
    assert yours["price"].sum() == pytest.approx(mine["price"].sum())


def test_windows_are_cut_alike(here: pd.DataFrame, there: Any) -> None:
    request = Request(model="sales")

    assert cut_windows(there, spec(), request) == cut_windows(here, spec(), request)
    assert find_first_window_start(there, spec()) == find_first_window_start(here, spec())


def test_a_window_is_counted_whole_though_a_part_of_its_rows_is_in_memory(
    here: pd.DataFrame, there: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "MAX_FETCHED_ROWS", 100)
    before, whole = (read_rows(here, spec(), span) for span in (TimeRange(START, SPAN.start), SPAN))
    like = profile_rows(
        before, spec(), time_range=TimeRange(START, SPAN.start), predictions=before["revenue"]
    )
    some = read_rows(there, spec(), SPAN)

    found = profile_history(
        there, spec(), time_range=SPAN, predicted=PredictedRows(some, some["revenue"]), like=like
    )

    assert 40 < len(some) < 200
    counted = profile_rows(whole, spec(), time_range=SPAN, predictions=whole["revenue"], like=like)
    assert found.window == counted.window
    assert found.newest == counted.newest
    for mine, yours in zip(counted.columns[:-1], found.columns[:-1], strict=True):
        assert yours.counts == mine.counts
    prediction = list_monitored_columns(spec())[-1]
    assert found.columns[-1] == profile_column(
        some["revenue"], prediction, like=like.find(prediction.name)
    )


def test_targets_that_have_not_come_do_not_count_as_missing(here: pd.DataFrame, there: Any) -> None:
    rows = read_rows(here, spec(), SPAN)
    like = profile_rows(rows, spec(), time_range=SPAN, predictions=rows["revenue"])
    until = SPAN.start + timedelta(days=2)

    found = profile_history(
        there,
        spec(),
        time_range=SPAN,
        predicted=PredictedRows(rows, rows["revenue"]),
        like=like,
        labelled_until=until,
    )

    target = found.find("revenue")
    assert target is not None
    assert (target.rows, target.nulls) == (144, 0)


def test_times_that_an_engine_keeps_as_numbers_are_refused_with_the_remedy(there: Any) -> None:
    with pytest.raises(Refused, match="needs a date or a timestamp"):
        read_rows(there, spec(timestamp="price", features=spec().features[1:]), SPAN)

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from trimtab.detection.tables.timestamps import parse_timestamps

HOURS = pd.date_range("2016-10-04 08:00", periods=3000, freq="h", tz="UTC")
DAYS = pd.date_range("2015-01-01", periods=1500, freq="D", tz="UTC")
MONTHS = pd.date_range("2015-01-01", periods=60, freq="MS", tz="UTC")


def seconds(times: pd.DatetimeIndex) -> np.ndarray:
    return times.as_unit("s").astype("int64").to_numpy()


@pytest.mark.parametrize(
    ("column", "times"),
    [
        (HOURS, HOURS),
        (HOURS.tz_localize(None), HOURS),
        (HOURS.tz_convert("Europe/Berlin"), HOURS),
        (HOURS.strftime("%Y-%m-%d %H:%M:%S"), HOURS),
        (HOURS.strftime("%Y-%m-%dT%H:%M:%SZ"), HOURS),
        (HOURS.tz_convert("Europe/Berlin").strftime("%Y-%m-%d %H:%M:%S%z"), HOURS),
        (HOURS.strftime("%d/%m/%Y %H:%M"), HOURS),
        (HOURS.strftime("%m/%d/%Y %I:%M %p"), HOURS),
        (HOURS.strftime("%d.%m.%Y %H:%M:%S").astype("category"), HOURS),
        (seconds(HOURS), HOURS),
        (seconds(HOURS) * 1000, HOURS),
        (seconds(HOURS) * 1_000_000, HOURS),
        (seconds(HOURS) * 1_000_000_000, HOURS),
        (seconds(HOURS).astype("float64") + 0.0, HOURS),
        (seconds(HOURS).astype("str"), HOURS),
        (HOURS.strftime("%Y%m%d%H%M%S").astype("int64"), HOURS),
        (DAYS.date, DAYS),
        (DAYS.strftime("%Y-%m-%d"), DAYS),
        (DAYS.strftime("%Y/%m/%d"), DAYS),
        (DAYS.strftime("%Y%m%d").astype("int64"), DAYS),
        (DAYS.strftime("%d %b %Y"), DAYS),
        (MONTHS.strftime("%Y%m").astype("int64"), MONTHS),
        (MONTHS.strftime("%Y-%m"), MONTHS),
        (MONTHS.strftime("%d/%m/%Y"), MONTHS),
        (MONTHS.strftime("%m/%d/%Y"), MONTHS),
        (DAYS.year.astype("int64"), pd.DatetimeIndex(pd.to_datetime(DAYS.year.astype(str)))),
        (DAYS.year.astype("str"), pd.DatetimeIndex(pd.to_datetime(DAYS.year.astype(str)))),
    ],
)
def test_timestamps_in_every_format_are_parsed_to_the_same_times(
    column: pd.Index, times: pd.DatetimeIndex
) -> None:
    parsed = parse_timestamps(pd.Series(column))

    expected = times if times.tz else times.tz_localize("UTC")
    assert str(parsed.times.dtype) == "datetime64[us, UTC]"
    assert (parsed.times.to_numpy() == expected.as_unit("us").to_numpy()).all(), (
        parsed.source_format
    )


@pytest.mark.parametrize(
    "column",
    [
        ["17", "18", "north"] * 5,
        list(range(3000)),
        [True, False] * 20,
        [0.25, 0.5] * 20,
        [None, None],
        [],
        [dt.timedelta(hours=1)] * 4,
        [{"a": 1}, [2]],
    ],
)
def test_values_that_are_no_timestamps_become_none(column: list[object]) -> None:
    parsed = parse_timestamps(pd.Series(column, dtype="object" if not column else None))

    assert parsed.times.isna().all()
    assert len(parsed.times) == len(column)


def test_a_few_unreadable_timestamps_do_not_affect_the_others() -> None:
    texts = pd.Series(HOURS.strftime("%Y-%m-%d %H:%M:%S")).astype("object")
    texts[7] = "yesterday-ish"
    texts[9] = None
    texts.index = texts.index + 100

    parsed = parse_timestamps(texts)

    assert list(parsed.times.index[parsed.times.isna()]) == [107, 109]


def test_a_million_texts_are_parsed() -> None:
    texts = pd.Series(pd.date_range("2016", periods=1_000_000, freq="s").astype("str"))

    assert parse_timestamps(texts).times.notna().all()

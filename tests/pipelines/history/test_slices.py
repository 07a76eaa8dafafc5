from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, make_spec, make_table
from trimtab.contracts.model import Slice
from trimtab.pipelines.history.rows import read_rows
from trimtab.pipelines.history.slices import read_slice_rows, select_training_history

AS_OF = START + WEEK


def week(*instants: timedelta, rows: int = 1000) -> pd.DataFrame:
    """Return one week of rows, dated by these instants in turn; the index is not unique."""
    at = [START + instant for instant in instants]
    made = make_table(rows).assign(at=pd.to_datetime([at[n % len(at)] for n in range(rows)]))
    return made.assign(number=np.arange(rows)).set_axis([7] * rows)


def split(data: pd.DataFrame) -> list[list[int]]:
    gate, verification = (
        read_slice_rows(data, make_spec(), AS_OF, part) for part in (Slice.GATE, Slice.VERIFICATION)
    )
    found = select_training_history(data, make_spec(), AS_OF)
    learned = read_rows(found.history, make_spec(), found.newest)
    return [sorted(rows["number"]) for rows in (learned, gate, verification)]


@pytest.mark.parametrize(
    "instants",
    [
        (timedelta(0),),
        (timedelta(days=6.5),),
        (timedelta(0), timedelta(days=2), timedelta(days=4)),
    ],
)
def test_rows_that_share_a_few_instants_are_assigned_to_slices(
    instants: tuple[timedelta, ...],
) -> None:
    learned, gate, verification = split(week(*instants))

    assert sorted([*learned, *gate, *verification]) == list(range(1000))
    assert len(learned) == pytest.approx(600, abs=3)
    assert len(gate) == pytest.approx(200, abs=3)
    assert len(verification) == pytest.approx(200, abs=3)


def test_every_slice_takes_rows_from_all_over_a_sorted_table() -> None:
    for numbers in split(week(timedelta(0))):
        tenths = np.bincount(np.asarray(numbers) // 100, minlength=10)
        assert tenths.max() - tenths.min() <= 3


def test_the_same_rows_are_always_assigned_the_same() -> None:
    assert split(week(timedelta(0))) == split(week(timedelta(0)))


def test_rows_dated_finely_are_split_by_time() -> None:
    data = week(*(timedelta(hours=hour) for hour in range(7 * 24)))

    verification = read_slice_rows(data, make_spec(), AS_OF, Slice.VERIFICATION)
    gate = read_slice_rows(data, make_spec(), AS_OF, Slice.GATE)

    found = select_training_history(data, make_spec(), AS_OF)

    assert read_rows(found.history, make_spec(), found.newest)["at"].max() < gate["at"].min()
    assert gate["at"].max() < verification["at"].min()


def test_recent_is_the_whole_window_however_rows_are_dated() -> None:
    assert len(read_slice_rows(week(timedelta(0)), make_spec(), AS_OF, Slice.RECENT)) == 1000

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, make_spec, make_table, profile_table
from trimtab.contracts.ports import Refused
from trimtab.pipelines.history.rows import read_rows
from trimtab.pipelines.history.slices import select_training_history
from trimtab.pipelines.history.time_ranges import (
    TimeRange,
    compute_newest_training_range,
    compute_retraining_range,
    list_earlier_windows,
)
from trimtab.pipelines.learning.training_data import (
    choose_training_range,
    exclude_ranges,
    find_corrupt_windows,
    refuse_corrupt_window,
)

AS_OF = START + 6 * WEEK
"""End of the sixth week; a challenger learns from the third week on."""


def history(rows: int = 6000) -> pd.DataFrame:
    """Return six weeks in which revenue follows the price; the index is not unique."""
    made = make_table(rows)
    at = START + pd.to_timedelta(np.linspace(0, 6 * 7, rows, endpoint=False), unit="D")
    return made.assign(at=at, revenue=made["price"] * 3 + 40).set_axis([7] * rows)


def test_an_earlier_corrupt_window_is_found_and_excluded() -> None:
    corrupt = TimeRange(START + 3 * WEEK, START + 4 * WEEK)
    data = history()
    inside = (data["at"] >= corrupt.start) & (data["at"] < corrupt.end)
    data.loc[inside, "price"] *= 100

    found = find_corrupt_windows(data, make_spec(), AS_OF, reference=profile_table(history()))
    sound = exclude_ranges(data, make_spec(), found)

    assert found == [corrupt]
    assert len(sound) == 5000
    assert read_rows(sound, make_spec(), corrupt).empty


def test_neither_sound_windows_nor_the_incidents_own_window_are_excluded() -> None:
    data = history()
    data.loc[data["at"] >= AS_OF - WEEK, "price"] *= 100

    assert find_corrupt_windows(data, make_spec(), AS_OF, reference=profile_table(history())) == []
    assert len(exclude_ranges(data, make_spec(), [])) == len(data)


def test_the_incidents_own_window_is_refused_if_it_is_corrupt() -> None:
    data, reference = history(), profile_table(history())
    refuse_corrupt_window(data, make_spec(), AS_OF, reference=reference)
    data.loc[data["at"] >= AS_OF - WEEK, "price"] *= 100

    with pytest.raises(Refused, match=r"corrupt \(unit_change price: now = 100 x before"):
        refuse_corrupt_window(data, make_spec(), AS_OF, reference=reference)
    refuse_corrupt_window(
        data, make_spec(label_delay=WEEK), AS_OF, reference=reference
    )  # not learned from


def test_earlier_windows_end_before_the_incidents_own() -> None:
    early = list_earlier_windows(make_spec(), AS_OF)
    late = list_earlier_windows(make_spec(label_delay=timedelta(days=2)), AS_OF)

    assert early == [TimeRange(AS_OF - (4 - n) * WEEK, AS_OF - (3 - n) * WEEK) for n in range(3)]
    assert late[-1].end == AS_OF - WEEK
    assert late[0].start == AS_OF - 4 * WEEK - timedelta(days=2)


def test_after_an_abrupt_change_only_the_newest_window_is_chosen() -> None:
    data = history()
    turned = data["at"] >= AS_OF - WEEK
    data.loc[turned, "revenue"] = 400 - data.loc[turned, "revenue"]

    assert choose_training_range(
        select_training_history(data, make_spec(), AS_OF), make_spec(), standard=0.9, seed=0
    ) == compute_newest_training_range(make_spec(), AS_OF)
    assert choose_training_range(
        select_training_history(history(), make_spec(), AS_OF), make_spec(), standard=0.9, seed=0
    ) == compute_retraining_range(make_spec(), AS_OF)


def test_a_newest_window_of_few_rows_is_not_chosen_alone() -> None:
    data = history(300)
    turned = data["at"] >= AS_OF - WEEK
    data.loc[turned, "revenue"] = 400 - data.loc[turned, "revenue"]

    assert choose_training_range(
        select_training_history(data, make_spec(), AS_OF), make_spec(), standard=0.9, seed=0
    ) == compute_retraining_range(make_spec(), AS_OF)


def test_older_windows_are_chosen_too_if_the_change_is_not_abrupt() -> None:
    data = history()
    turned = data["at"] >= AS_OF - WEEK
    data.loc[turned, "revenue"] += 20 * np.sin(data.loc[turned, "price"])
    found = select_training_history(data, make_spec(), AS_OF)

    assert choose_training_range(
        found, make_spec(), standard=0.9, seed=0
    ) == compute_retraining_range(make_spec(), AS_OF)
    assert choose_training_range(
        found, make_spec(), standard=None, seed=0
    ) == compute_retraining_range(make_spec(), AS_OF)


def test_a_broken_column_that_costs_nothing_bars_no_retraining() -> None:
    data = history()
    data.loc[data["at"] >= AS_OF - WEEK, "price"] *= 100
    reference = profile_table(history())

    with pytest.raises(Refused, match="is corrupt"):
        refuse_corrupt_window(
            data, make_spec(), AS_OF, reference=reference, importance={"price": 0.5}
        )
    refuse_corrupt_window(data, make_spec(), AS_OF, reference=reference, importance={"price": 0.0})

import numpy as np
import pytest

from trimtab.detection.drift.row_counts import find_row_count_fault

WEEKS = (980, 1010, 1045, 990, 1003)


def test_a_window_without_rows_where_the_reference_always_has_some_is_dead() -> None:
    fault = find_row_count_fault(0, WEEKS)

    assert fault is not None
    assert (fault.kind, fault.corrupt, fault.fraction) == ("no_rows", True, 1.0)
    assert "980 to 1045" in fault.detail


@pytest.mark.parametrize("usual", [(0, 0, 0, 0), (0, 900, 950, 980), (1, 4, 2, 3), (), (900,)])
def test_no_rows_are_usual_where_the_reference_had_none_or_hardly_any(
    usual: tuple[int, ...],
) -> None:
    assert find_row_count_fault(0, usual) is None


def test_a_tenth_of_the_rows_corrupts_the_window() -> None:
    fault = find_row_count_fault(100, WEEKS)

    assert fault is not None
    assert (fault.kind, fault.corrupt) == ("few_rows", True)
    assert fault.fraction == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("rows", [600, 900, 1500])
def test_a_weak_week_is_no_fault(rows: int) -> None:
    assert find_row_count_fault(rows, WEEKS) is None


def test_few_rows_are_usual_where_the_reference_varies_as_much() -> None:
    assert find_row_count_fault(90, (100, 2000, 1500, 180, 900)) is None


def test_counts_that_vary_widely_are_no_fault_in_500_windows() -> None:
    random = np.random.default_rng(3)
    counts = random.poisson(random.lognormal(5.0, 0.4, (500, 9)))

    found = [find_row_count_fault(int(row[0]), tuple(row[1:].tolist())) for row in counts]

    assert sum(fault is not None for fault in found) <= 2

"""How many windows a first reference has."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.detection.onboarding.reference_length import choose_reference_windows

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("windows", "window", "expected"),
    [
        (11, 7 * DAY, 3),
        (30, DAY, 9),
        (12, DAY, 6),  # a week would leave only five windows
        (60, DAY / 24, 24),
        (3, 365 * DAY, 1),
        (1, 365 * DAY, 1),
    ],
)
def test_three_in_ten_windows_or_a_whole_cycle_are_the_reference(
    windows: int, window: timedelta, expected: int
) -> None:
    assert choose_reference_windows(windows, window) == expected


@given(st.integers(2, 400), st.timedeltas(timedelta(minutes=1), 365 * DAY))
def test_most_windows_of_a_short_history_and_six_of_a_long_one_are_left(
    windows: int, window: timedelta
) -> None:
    left = windows - choose_reference_windows(windows, window)

    assert left >= min(6, windows - max(1, windows // 3))

"""Durations in reasons are written for people."""

from datetime import timedelta

import pytest

from trimtab.contracts.duration_text import format_rounded_duration


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(minutes=4, seconds=18.806463), "4 min 18 s"),
        (timedelta(hours=6), "6 h"),
        (timedelta(hours=5, minutes=59, seconds=59.9), "5 h 59 min"),
        (timedelta(days=1, minutes=5), "1 day"),
        (timedelta(days=7), "7 days"),
        (timedelta(days=2, hours=3, minutes=9), "2 days 3 h"),
        (timedelta(milliseconds=3), "0 s"),
        (timedelta(minutes=-3), "0 s"),
    ],
)
def test_a_duration_is_written_in_its_two_largest_units(duration: timedelta, text: str) -> None:
    assert format_rounded_duration(duration) == text

"""Dates that people and programs write are timestamps; text that only resembles them is not."""

from datetime import UTC, datetime, timedelta

import pytest

from trimtab.detection.tables.text_timestamps import is_timestamp_text

START = datetime(2023, 12, 1, 17, 5, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m", "%m/%Y", "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S %z UTC", "%Y%m%dT%H%M%S", "%d.%m.%Y",
        "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d/%m/%Y", "%m/%d/%y", "%d-%m-%Y", "%d %b %Y",
        "%d-%b-%Y", "%d%b%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y %H:%M:%S", "%b %Y", "%b-%y",
        "%a, %d %b %Y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y", "%G-W%V", "%Y-Q1", "%YQ3", "Q2 %Y",
        " %Y-%m-%d ",
    ],
)  # fmt: skip
def test_dates_and_months_are_timestamps_in_every_format(form: str) -> None:
    written = [(START + timedelta(days=day)).strftime(form) for day in range(400)]

    assert [each for each in written if not is_timestamp_text(each)] == []


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "2024", "20240101", "3", "1.5", "1.2.3", "1.12.24", "2024.1.2", "10.0.0.1", "v1.2",
        "13:00", "12:30:15", "3:2", "555-123-4567", "+49 30 123456", "01-02-24", "20-00-00",
        "2023-24", "2024-13-01", "2024-00-10", "32.01.2024", "2024-0001", "1990-2000", "10-20",
        "10/20", "1/2/3", "May", "Market 24", "Monday", "12 Marines", "A-2024-01", "2024-01-0",
        "123-45-6789", "3024-01-01", "2024-05-06-77", "sat 12", "1e5", "12 %", "1,250.00",
    ],
)  # fmt: skip
def test_numbers_versions_codes_and_times_of_day_are_no_timestamps(text: str) -> None:
    assert not is_timestamp_text(text)

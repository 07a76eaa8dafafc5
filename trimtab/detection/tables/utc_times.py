"""Converts what engines return for times to datetimes in UTC."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from trimtab.contracts.base import EPOCH

MICROSECOND: Final = timedelta(microseconds=1)
"""The least difference between two times."""
MIN_DATETIME: Final = datetime.min.replace(tzinfo=UTC)
MAX_DATETIME: Final = datetime.max.replace(tzinfo=UTC)


def convert_to_utc(found: date) -> datetime:
    """Convert a date, or a datetime with or without a zone, to a datetime in UTC."""
    moment = found if isinstance(found, datetime) else datetime.combine(found, time())
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def convert_epoch_microseconds(microseconds: int) -> datetime:
    """Convert microseconds since 1970 to a datetime in UTC, clamped to the supported range."""
    low, high = ((end - EPOCH) // MICROSECOND for end in (MIN_DATETIME, MAX_DATETIME))
    return EPOCH + min(max(microseconds, low), high) * MICROSECOND

"""Calendars of days and hours in which nothing is executed: iCalendar files and public holidays."""

from typing import Final

from pydantic import Field

from trimtab.contracts.base import Name, Record

MAX_CALENDAR_LENGTH: Final = 64 * 1024
"""Largest number of characters of one calendar: it travels with every incident."""


class BlackoutCalendar(Record):
    """An iCalendar (RFC 5545) whose events are blackouts, as content: no file is read later."""

    name: Name
    """The file's name without its ending."""
    content: str = Field(max_length=MAX_CALENDAR_LENGTH)


class HolidayCalendar(Record):
    """Public holidays of a country, or of a part of it: whole days of local time."""

    country: str = Field(pattern=r"^[A-Z]{2,3}$")
    """ISO 3166 code, such as DE."""
    subdivision: str | None = Field(default=None, pattern=r"^[\w-]{1,16}$")
    """Code of a state or region, such as BY; None for the holidays of the whole country."""

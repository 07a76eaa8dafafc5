"""Reads a policy file with the calendars that it names, and checks what the record cannot see."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from trimtab.contracts.blackout_calendar import MAX_CALENDAR_LENGTH
from trimtab.contracts.decision import Blackout, Limits
from trimtab.runtime.approver_checks import check_people
from trimtab.runtime.configuration import read_mapping
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.paths import shipped_conf

_DAYS_OF_WEEK: Final = range(7)


def read_policy_file(path: Path) -> dict[str, Any]:
    """Return the content of a policy file, with that of the files that it names.

    Raises:
        BadConfigurationError: The file, a calendar or the calibration cannot be read.
    """
    content = read_mapping(path)
    if isinstance(content.get("calibration"), str):
        content["calibration"] = read_mapping(_find_calibration(path, content["calibration"]))
    calendars = content.get("calendars")
    if not isinstance(calendars, list):
        return content
    faults: list[str] = []
    content["calendars"] = [_read_calendar(each, path, faults) for each in calendars]
    if faults:
        raise BadConfigurationError(faults)
    return content


def _find_calibration(policy: Path, name: str) -> Path:
    """Return the file beside the policy, or the shipped one of that name.

    A copy of the shipped policy, to be tried elsewhere, names the shipped calibration.
    """
    beside, shipped = policy.parent / name, shipped_conf() / "base" / name
    return shipped if shipped.exists() and not beside.exists() else beside


def check_limits(limits: Limits) -> Iterator[str]:
    """Yield everything that is wrong with the limits, each with its remedy."""
    yield from check_people(limits)
    for blackout in limits.blackouts:
        yield from _check_weekly_blackout(blackout)
    length = sum(len(calendar.content) for calendar in limits.calendars)
    if length > MAX_CALENDAR_LENGTH:
        yield (
            f"calendars = {length} characters in all: every incident carries them: take out events"
            f" that are over, until there are at most {MAX_CALENDAR_LENGTH}"
        )
    if limits.calendars or limits.holidays:
        yield from _check_calendars(limits)


def _read_calendar(entry: object, policy: Path, faults: list[str]) -> object:
    """Return the calendar that an entry names; what is no path is left to the validation."""
    if not isinstance(entry, str):
        return entry
    path = policy.parent / entry
    try:
        return {"name": path.stem, "content": path.read_text(encoding="utf-8")}
    except (OSError, UnicodeDecodeError, ValueError) as error:
        faults.append(
            f"{policy}: calendars = {entry!r}: cannot be read as UTF-8 text: {error}: name an"
            " iCalendar file by its path from the policy's folder"
        )
        return entry


def _check_weekly_blackout(blackout: Blackout) -> Iterator[str]:
    place = f"blackouts.{blackout.name}"
    wrong = [day for day in blackout.weekdays if day not in _DAYS_OF_WEEK]
    if wrong:
        yield f"{place}.weekdays = {wrong}: there is no such day: write 0 (Monday) to 6 (Sunday)"
    if blackout.start.tzinfo is not None:
        yield f"{place}.start = {blackout.start}: has a zone: write it under `timezone`"


def _check_calendars(limits: Limits) -> Iterator[str]:
    from policies.blackout_calendar import (  # noqa: PLC0415 - its libraries take half a second to import
        CalendarError,
        check_calendar,
        check_holidays,
    )

    for calendar in limits.calendars:
        try:
            check_calendar(calendar)
        except CalendarError as error:
            yield f"calendars.{calendar.name}: {error}"
    for country in limits.holidays:
        try:
            check_holidays(country)
        except CalendarError as error:
            yield f"holidays.{country.country}: {error}"

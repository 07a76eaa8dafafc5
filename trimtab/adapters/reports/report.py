"""The record that every other detector's report is translated into."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, Field, ValidationError

from trimtab.contracts.base import Name, Record
from trimtab.contracts.drift import FeatureDrift, PerformanceChange, PerformanceEstimate, Window
from trimtab.contracts.validation_errors import format_validation_errors

ReportedPerformance = PerformanceChange | PerformanceEstimate


class MalformedReportError(Exception):
    """The file is not the expected report; the message has what was expected and found."""


class ForeignReport(Record):
    """One comparison of two tables by another detector."""

    detector: Name
    """Name of the detector, with its version if the report gives it."""
    features: tuple[FeatureDrift, ...] = ()
    """The drifted ones first."""
    performances: tuple[ReportedPerformance, ...] = ()
    """One for each metric in the report, realised or estimated."""
    unread: tuple[str, ...] = ()
    """Other parts of the report, which are not imported."""
    current: Window | None = None
    """None if the report does not give it."""
    reference: Window | None = None
    rows: int = Field(default=0, ge=0)
    """Rows of the current window; 0 if the report does not give them."""
    made_at: AwareDatetime | None = None


def parse_report_json(raw: bytes) -> object:
    """Return the content of a JSON file.

    Raises:
        MalformedReportError: The file is no JSON.
    """
    try:
        content: object = json.loads(raw)
    except ValueError as error:
        msg = f"it is no JSON: {error}"
        raise MalformedReportError(msg) from error
    except RecursionError as error:
        msg = "it is no report: its JSON is nested too deeply to be read"
        raise MalformedReportError(msg) from error
    return content


def parse_feature(fields: dict[str, Any]) -> FeatureDrift:
    """Return one column.

    Raises:
        MalformedReportError: The fields make no column; the message names it.
    """
    try:
        return FeatureDrift.model_validate(fields)
    except ValidationError as error:
        fault = format_validation_errors(error, max_value_length=80)[0]
        msg = f"column {fields.get('name')!r}: {fault}"
        raise MalformedReportError(msg) from error


def sort_drifted_first(features: list[FeatureDrift]) -> tuple[FeatureDrift, ...]:
    """Return the drifted columns first; otherwise the report's own order stays."""
    return tuple(sorted(features, key=lambda each: not each.drifted))


def parse_instant(text: object) -> datetime | None:
    """Return a time, or None if it is none.

    Nanoseconds are cut. Other detectors write their own clock's time without a zone: it is read as
    UTC.
    """
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(text)))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

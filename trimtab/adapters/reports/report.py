"""What another detector's report says, in our words: the same record whoever wrote it."""

import json
from typing import Any

from pydantic import AwareDatetime, Field, ValidationError

from trimtab.contracts.base import Name, Record
from trimtab.contracts.drift import FeatureDrift, PerformanceChange, PerformanceEstimate, Window
from trimtab.contracts.validation_errors import format_validation_errors


class MalformedReportError(Exception):
    """The file is not the report that it should be; says what was expected and what was found."""


class ForeignReport(Record):
    """One comparison of two tables by another detector."""

    detector: Name
    """Its name, with its version where the report tells it."""
    features: tuple[FeatureDrift, ...] = ()
    """The drifted ones first."""
    performances: tuple[PerformanceChange | PerformanceEstimate, ...] = ()
    """Realised or estimated, of each metric that the report tells of."""
    unread: tuple[str, ...] = ()
    """What else stands in the report, and is not imported."""
    current: Window | None = None
    """None where the report does not tell."""
    reference: Window | None = None
    rows: int = Field(default=0, ge=0)
    """Of the current window; 0 where the report does not tell."""
    made_at: AwareDatetime | None = None


def read_json(raw: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Plain JSON; raises `MalformedReportError`."""
    try:
        return json.loads(raw)
    except ValueError as error:
        msg = f"it is no JSON: {error}"
        raise MalformedReportError(msg) from error
    except RecursionError as error:
        msg = "it is no report: its JSON is nested too deeply to be read"
        raise MalformedReportError(msg) from error


def feature(fields: dict[str, Any]) -> FeatureDrift:
    """One column; raises `MalformedReportError` naming it."""
    try:
        return FeatureDrift.model_validate(fields)
    except ValidationError as error:
        fault = format_validation_errors(error, max_value_length=80)[0]
        msg = f"column {fields.get('name')!r}: {fault}"
        raise MalformedReportError(msg) from error


def worst_first(features: list[FeatureDrift]) -> tuple[FeatureDrift, ...]:
    """The drifted ones first; else in the report's own order."""
    return tuple(sorted(features, key=lambda each: not each.drifted))

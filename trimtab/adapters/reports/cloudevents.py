"""Reads drift events in CloudEvents' structured mode: one event, a list, or one event a line."""

from typing import Any, Final

from pydantic import ValidationError

from trimtab.adapters.reports.report import MalformedReportError, parse_report_json
from trimtab.contracts.drift import EVENT_TYPE, MAX_EVENT_BYTES, DriftEvent
from trimtab.contracts.event_bounds import find_implausible_values
from trimtab.contracts.validation_errors import format_validation_errors

_MAX_FAULTS: Final = 5
"""Faults of one event that a message names."""


def read_cloudevents(raw: bytes) -> tuple[DriftEvent, ...]:
    """Return the events in their order.

    Raises:
        MalformedReportError: There is no event, or one of them is no drift event.
    """
    contents = enumerate(_split_contents(raw), start=1)
    events = [_parse_event(number, content) for number, content in contents]
    if not events:
        msg = "it holds no event"
        raise MalformedReportError(msg)
    return tuple(events)


def _split_contents(raw: bytes) -> list[Any]:
    lines = [line for line in raw.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.lstrip().startswith(b"{") for line in lines):
        return [parse_report_json(line) for line in lines]
    content = parse_report_json(raw)
    return content if isinstance(content, list) else [content]


def _parse_event(number: int, content: object) -> DriftEvent:
    kind = content.get("type") if isinstance(content, dict) else None
    if kind != EVENT_TYPE:
        msg = f"event {number} is of type {kind!r}: expected {EVENT_TYPE!r}, see docs/events.md"
        raise MalformedReportError(msg)
    try:
        event = DriftEvent.model_validate(content)
    except ValidationError as error:
        faults = format_validation_errors(error, max_value_length=80)
        msg = f"event {number}: {'; '.join(faults[:_MAX_FAULTS])}"
        raise MalformedReportError(msg) from error
    if implausible := find_implausible_values(event):
        msg = f"event {number}: {'; '.join(implausible[:_MAX_FAULTS])}"
        raise MalformedReportError(msg)
    size = len(event.model_dump_json().encode())
    if size > MAX_EVENT_BYTES:
        msg = f"event {number} has {size} bytes: at most {MAX_EVENT_BYTES} are accepted"
        raise MalformedReportError(msg)
    return event

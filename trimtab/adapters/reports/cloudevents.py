"""Reads drift events in CloudEvents' structured mode: one, a batch (a list), or one a line."""

from typing import Any

from pydantic import ValidationError

from trimtab.adapters.reports.report import MalformedReportError, read_json
from trimtab.contracts.drift import EVENT_TYPE, MAX_EVENT_BYTES, DriftEvent


def read_cloudevents(raw: bytes) -> tuple[DriftEvent, ...]:
    """The events, in their order; raises `MalformedReportError` where one of them is not ours."""
    events = [_event(place, content) for place, content in enumerate(_contents(raw), 1)]
    if not events:
        msg = "it holds no event"
        raise MalformedReportError(msg)
    return tuple(events)


def _contents(raw: bytes) -> list[Any]:
    lines = [line for line in raw.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.lstrip().startswith(b"{") for line in lines):
        return [read_json(line) for line in lines]
    content = read_json(raw)
    return content if isinstance(content, list) else [content]


def _event(place: int, content: Any) -> DriftEvent:  # noqa: ANN401 - any JSON
    kind = content.get("type") if isinstance(content, dict) else None
    if kind != EVENT_TYPE:
        msg = f"event {place} is of type {kind!r}: expected {EVENT_TYPE!r}, see docs/events.md"
        raise MalformedReportError(msg)
    try:
        event = DriftEvent.model_validate(content)
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, fault['loc'])) or '(whole)'} = {fault['input']!r:.80}:"
            f" {fault['msg']}"
            for fault in error.errors(include_url=False)[:5]
        ]
        msg = f"event {place}: {'; '.join(faults)}"
        raise MalformedReportError(msg) from error
    size = len(event.model_dump_json().encode())
    if size > MAX_EVENT_BYTES:
        msg = f"event {place} has {size} bytes: at most {MAX_EVENT_BYTES} are taken in"
        raise MalformedReportError(msg)
    return event

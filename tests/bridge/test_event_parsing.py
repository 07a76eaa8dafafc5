import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.builders import a_feature_drift, an_event
from trimtab.bridge.event_parsing import EventRejectedError, parse_event
from trimtab.contracts.drift import MAX_EVENT_BYTES, Window

NEVER = Window(
    start=datetime(9999, 1, 1, tzinfo=UTC), end=datetime(9999, 12, 31, tzinfo=UTC), rows=3000
)


def as_json(**changes: Any) -> bytes:
    return json.dumps({**json.loads(an_event().model_dump_json()), **changes}).encode()


def test_a_cloud_event_becomes_a_drift_event() -> None:
    assert parse_event({b"event": an_event().model_dump_json().encode()}) == an_event()


def test_attributes_that_cloud_events_allows_beside_ours_are_accepted() -> None:
    parse_event({b"event": as_json(traceparent="00-1-1-01"), b"comment": b"from a colleague"})


def test_an_event_without_a_correlation_id_correlates_by_its_own() -> None:
    raw = json.loads(an_event().model_dump_json())
    del raw["correlationid"]

    assert parse_event({b"event": json.dumps(raw).encode()}).correlationid == "event-1"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "Invalid JSON"),
        (b"{", "Invalid JSON"),
        (b"[]", "should be an object"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[" * 60_000, "recursion limit"),
        (as_json(specversion="0.3"), "specversion"),
        (as_json(type="io.other.v1"), "type"),
        (as_json(id="rm -rf; $(x)"), "id"),
        (as_json(subject="a" * 129), "subject"),
        (as_json(subject="another model"), "differs from data.model"),
        (as_json(data=None), "data"),
        (as_json(time="2026-11-20T12:00:00"), "time"),
        (as_json(time="0001-01-01T00:00:00Z"), "the year must be 1970 to 2100"),
        (an_event(features=(a_feature_drift(psi=1e308),)).model_dump_json().encode(), "psi"),
        (an_event(current=NEVER).model_dump_json().encode(), "year"),
    ],
)
def test_bytes_that_are_no_drift_event_are_rejected_with_the_reason(
    raw: bytes, reason: str
) -> None:
    with pytest.raises(EventRejectedError, match=reason):
        parse_event({b"event": raw})


def test_an_event_of_64_kib_is_read_and_one_byte_more_is_not_even_parsed() -> None:
    event = as_json()
    largest = event + b" " * (MAX_EVENT_BYTES - len(event))

    assert parse_event({b"event": largest}).id == "event-1"
    with pytest.raises(EventRejectedError, match="65537 bytes: an event has at most 65536"):
        parse_event({b"event": largest + b" "})


def test_an_entry_without_the_field_is_rejected_with_the_fields_it_has() -> None:
    with pytest.raises(EventRejectedError, match=r"no field 'event' but 'data, kind'"):
        parse_event({b"kind": b"drift", b"data": b"{}"})


def test_a_rejection_is_short_however_much_is_wrong() -> None:
    with pytest.raises(EventRejectedError) as rejected:
        parse_event({b"event": b'{"data": {}, "id": "' + b"!" * 60_000 + b'"}'})

    assert len(str(rejected.value)) < 2000
    assert "and 4 more" in str(rejected.value)

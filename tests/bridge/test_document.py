"""The event in docs/events.md is one that the bridge takes in, as it stands there."""

import json
import re
import shlex

import jsonschema
import redis

from tests.architecture.sources import ROOT
from trimtab.adapters.reports.cloudevents import read_cloudevents
from trimtab.bridge.event_parsing import parse_event
from trimtab.contracts.drift import DriftEvent, Severity

DOCUMENT = ROOT / "docs" / "events.md"
SCHEMA = ROOT / "docs" / "event.schema.json"


def the_event() -> str:
    """The document's event, which it calls `events.json`."""
    found = re.search(r"```json\n(\{.*?\n\})\n```", DOCUMENT.read_text(), re.DOTALL)
    assert found
    return found[1]


def the_line() -> list[str]:
    """The words of the document's `redis-cli XADD …`, as the shell passes them on."""
    found = re.search(r"```sh\n(redis-cli XADD .*?)\n```", DOCUMENT.read_text(), re.DOTALL)
    assert found
    words = shlex.split(found[1])
    return [the_event() if word == "$(cat events.json)" else word for word in words]


def test_the_documents_event_is_accepted_by_the_bridge(valkey_url: str) -> None:
    _, command, _, *rest = the_line()

    with redis.Redis.from_url(valkey_url) as server:
        server.execute_command(command, "documented-events", *rest)
        ((_, fields),) = server.xrange("documented-events")
        server.delete("documented-events")

    event = parse_event(fields)
    assert event.subject == event.data.model == "prices"
    assert event.correlationid == event.id
    assert event.data.severity is Severity.MEDIUM
    assert [each.name for each in event.data.drifted] == ["area"]


def test_the_documents_event_can_be_imported() -> None:
    (event,) = read_cloudevents(the_event().encode())

    assert event.subject == "prices"
    assert "bin/trimtab events import --from cloudevents events.json" in DOCUMENT.read_text()


def test_the_documents_event_keeps_to_the_schema() -> None:
    jsonschema.validate(json.loads(the_event()), json.loads(SCHEMA.read_text()))


def test_the_schema_is_that_of_the_event() -> None:
    """Write it again: python -m tests.bridge.test_document."""
    assert json.loads(SCHEMA.read_text()) == schema()


def schema() -> dict[str, object]:
    """What a publisher writes: its correlation id may be left out, for the event's id serves."""
    made = DriftEvent.model_json_schema(mode="validation")
    made["required"].remove("correlationid")
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, **made, "title": "Drift event"}


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

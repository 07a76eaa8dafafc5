import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from kedro.io import DatasetError

from tests.builders import an_event
from trimtab.adapters.datasets.drift_events import DriftEventsDataset
from trimtab.adapters.event_keys import build_event_verifier
from trimtab.contracts.drift import DriftEvent, QualityFault
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.settings import load_settings

STREAM = "events-of-the-dataset"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path))


@pytest.fixture
def server(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator["redis.Redis"]:
    monkeypatch.setenv("TRIMTAB_REDIS__URL", valkey_url)
    monkeypatch.setenv("TRIMTAB_REDIS__STREAM", STREAM)
    with redis.Redis.from_url(valkey_url) as client:
        client.delete(STREAM)
        yield client


def test_each_event_becomes_one_entry_with_nothing_else_in_it(server: "redis.Redis") -> None:
    event = an_event()

    DriftEventsDataset().save([event, event])

    found: list[Any] = server.xrange(STREAM) or []
    entries = [fields for _, fields in found]
    assert [set(fields) for fields in entries] == [{b"event"}] * 2
    sent = DriftEvent.model_validate_json(entries[0][b"event"])
    assert sent.model_copy(update={"signature": "", "keyid": ""}) == event


def test_each_event_is_signed_with_the_key_of_the_settings(server: "redis.Redis") -> None:
    DriftEventsDataset().save([an_event()])

    found: list[Any] = server.xrange(STREAM) or []
    ((_, fields),) = found
    sent = DriftEvent.model_validate_json(fields[b"event"])
    assert build_event_verifier(load_settings()).find_publisher(sent) == "trimtab"


def test_no_event_is_no_entry(server: "redis.Redis") -> None:
    DriftEventsDataset().save([])

    assert server.exists(STREAM) == 0


def test_no_event_needs_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_REDIS__URL", "redis://127.0.0.1:1")

    DriftEventsDataset().save([])


def test_an_oversize_event_is_refused_and_nothing_is_published(server: "redis.Redis") -> None:
    fault = QualityFault(kind="nulls", detail="\N{SNOWMAN}" * 4000)
    event = an_event(quality=(fault,) * 20)

    with pytest.raises(DatasetError) as raised:
        DriftEventsDataset().save([an_event(), event])

    assert isinstance(raised.value.__cause__, Refused)
    assert server.exists(STREAM) == 0


def test_a_server_that_is_not_there_may_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv(
            "TRIMTAB_REDIS__URL", f"redis://:secret@127.0.0.1:{free.getsockname()[1]}"
        )

        with pytest.raises(DatasetError) as raised:
            DriftEventsDataset().save([an_event()])

    assert isinstance(raised.value.__cause__, Unavailable)
    assert "secret" not in str(raised.value)


def test_the_stream_is_not_read_here() -> None:
    with pytest.raises(DatasetError, match="the bridge"):
        DriftEventsDataset().load()

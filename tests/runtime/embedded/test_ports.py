"""`trimtab up` has the ports that clients try first, or those that it had."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trimtab.runtime.embedded import ports
from trimtab.runtime.embedded.children import find_free_port
from trimtab.runtime.embedded.ports import HomePorts, is_free, list_displaced_ports


@contextmanager
def taken(port: int) -> Iterator[None]:
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        yield


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Ports that stand for the usual ones: those themselves may be in use here."""
    found = (find_free_port(), find_free_port())
    monkeypatch.setattr(ports, "USUAL_PORTS", {"temporal": found})
    return found


def test_the_usual_ports_are_taken_where_they_are_free(
    usual: tuple[int, int], tmp_path: Path
) -> None:
    frontend, ui, http, metrics = HomePorts(tmp_path).choose("temporal", 4)

    assert (frontend, ui) == usual
    assert len({frontend, ui, http, metrics}) == 4


def test_a_usual_port_that_is_in_use_is_named_with_the_one_instead(
    usual: tuple[int, int], tmp_path: Path
) -> None:
    with taken(usual[0]):
        chosen = HomePorts(tmp_path).choose("temporal", 2)

    assert chosen[1] == usual[1]
    assert list(list_displaced_ports("temporal", chosen)) == [
        f"port {usual[0]} is in use: temporal has {chosen[0]} instead of it"
    ]
    assert list(list_displaced_ports("temporal", usual)) == []


def test_the_ports_of_last_time_come_before_any_others(
    usual: tuple[int, int], tmp_path: Path
) -> None:
    with taken(usual[0]):
        first = HomePorts(tmp_path)
        ours = first.choose("temporal", 2)
        first.keep("temporal", ours)
        first.keep("redis", [find_free_port()])

        again = HomePorts(tmp_path).choose("temporal", 2)
    afterwards = HomePorts(tmp_path).choose("temporal", 2)

    assert again == ours
    assert afterwards == list(usual)
    assert set(json.loads((tmp_path / "ports.json").read_text())) == {"temporal", "redis"}


def test_a_port_of_last_time_that_is_in_use_is_left(tmp_path: Path) -> None:
    last = find_free_port()
    HomePorts(tmp_path).keep("redis", [last])

    with taken(last):
        (chosen,) = HomePorts(tmp_path).choose("redis", 1)

    assert chosen != last


@pytest.mark.parametrize("content", ["", "[1", "[]", '{"redis": ["a"]}', '{"redis": 5}'])
def test_a_broken_file_counts_as_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text(content)

    assert len(HomePorts(tmp_path).choose("redis", 1)) == 1


def test_a_port_that_was_left_a_moment_ago_is_free() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = server.accept()
            accepted.close()  # leaves the port in TIME_WAIT

    assert is_free(port)


@pytest.mark.parametrize("port", [70_000, -1, 0, 1e400])
def test_a_file_with_numbers_that_are_no_ports_counts_as_missing(
    port: float, tmp_path: Path
) -> None:
    (tmp_path / "ports.json").write_text(json.dumps({"mlflow": [port], "redis": [port]}))

    (chosen,) = HomePorts(tmp_path).choose("redis", 1)

    assert is_free(chosen)

"""The knowledge base on Chroma's own server (the Rust one), and on servers in trouble."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from policies.knowledge_query import describe_finding
from tests.adapters.knowledge.articles import an_article
from tests.adapters.reports.written_reports import a_report
from tests.builders import a_finding
from tests.servers import running
from trimtab.adapters.knowledge import chroma_client
from trimtab.adapters.knowledge.chroma_client import open_chroma
from trimtab.adapters.knowledge.knowledge_base import ChromaKnowledgeBase
from trimtab.contracts.ports import Unavailable
from trimtab.runtime.embedded.children import find_free_port
from trimtab.runtime.embedded.servers import Ports
from trimtab.runtime.settings import Settings, load_settings


class Chroma:
    """The server that `chroma run` starts."""

    name = "chroma"
    port_count = 1

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def build_command(self, ports: Ports) -> list[str]:
        program = Path(sys.executable).parent / "chroma"
        where = ["--path", str(self._folder), "--host", "127.0.0.1", "--port", str(ports[0])]
        return [str(program), "run", *where]

    async def is_ready(self, ports: Ports) -> bool:
        return await asyncio.to_thread(answers, f"http://127.0.0.1:{ports[0]}/api/v2/heartbeat")


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1):  # noqa: S310 - our own server
            return True
    except (URLError, OSError):
        return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("chroma")
    with running(Chroma(folder), folder) as ports:
        yield load_settings(chroma={"url": f"http://127.0.0.1:{ports[0]}"})


def test_the_server_keeps_the_same_documents_as_the_folder(
    server: Settings, tmp_path: Path
) -> None:
    an_article(tmp_path)
    knowledge = ChromaKnowledgeBase(open_chroma(server))

    knowledge.index(tmp_path)
    knowledge.remember(a_report(), document_id="incident:1")

    assert knowledge.index(tmp_path).unchanged == 1
    assert knowledge.search("no water in the well", limit=1)[0].id == "dry-well"
    assert knowledge.search(describe_finding(a_finding()), limit=1)[0].id == "incident:1"
    assert knowledge.document("nowhere") is None


def test_one_client_finds_documents_that_another_wrote(server: Settings, tmp_path: Path) -> None:
    one = ChromaKnowledgeBase(open_chroma(server))
    other = ChromaKnowledgeBase(open_chroma(server))
    one.search("anything")
    an_article(tmp_path, "cold-oven", text="The oven stays cold.")

    other.index(tmp_path)

    assert one.search("the oven does not heat", limit=1)[0].id == "cold-oven"


def test_a_server_that_is_not_there_is_unavailable() -> None:
    settings = load_settings(chroma={"url": f"http://127.0.0.1:{find_free_port()}"})

    with pytest.raises(Unavailable, match="open Chroma"):
        open_chroma(settings)


def test_a_server_that_says_nothing_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroma_client, "CHROMA_TIMEOUT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = load_settings(chroma={"url": f"http://127.0.0.1:{silent.getsockname()[1]}"})

        with pytest.raises(Unavailable, match="open Chroma"):
            open_chroma(settings)


def test_a_client_does_not_wait_for_ever(server: Settings) -> None:
    client = open_chroma(server)

    timeout = client._server._session.timeout  # type: ignore[attr-defined]
    assert timeout.read == chroma_client.CHROMA_TIMEOUT_SECONDS

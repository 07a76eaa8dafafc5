import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until
from trimtab.runtime.embedded.children import ChildProcess, find_free_port, start_child

LISTEN = """
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(600)
"""


def start(folder: Path, code: str, *arguments: str) -> ChildProcess:
    return start_child([sys.executable, "-c", code, *arguments], log=folder / "part.log", grace=2.0)


async def test_a_childs_output_is_kept_in_its_log(tmp_path: Path) -> None:
    child = start(tmp_path, "print('one'); print('two')")

    assert await child.wait() == 0
    assert child.read_last_lines() == "one\ntwo"
    assert child.read_last_lines(1) == "two"


async def test_the_last_lines_are_those_of_this_life(tmp_path: Path) -> None:
    await start(tmp_path, "print('then')").wait()
    child = start(tmp_path, "print('now')")
    await child.wait()

    assert child.read_last_lines() == "now"
    assert (tmp_path / "part.log").read_text() == "then\nnow\n"


async def test_a_childs_output_before_the_first_read_is_kept_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(subprocess.Popen[bytes]):
        """We only come to it when it has ended: a busy machine."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.wait()

    monkeypatch.setattr(subprocess, "Popen", Slow)
    child = start(tmp_path, "print('now')")
    await child.wait()

    assert child.read_last_lines() == "now"


async def test_a_large_log_makes_way_for_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "part.log").write_bytes(b"x" * 5_000_000)
    await start(tmp_path, "print('now')").wait()

    assert (tmp_path / "part.log").read_text() == "now\n"
    assert (tmp_path / "part.log.1").stat().st_size == 5_000_000


async def test_a_child_is_known_by_the_port_it_listens_on(tmp_path: Path) -> None:
    port = find_free_port()
    child = start(tmp_path, LISTEN, str(port))
    try:
        await until(lambda: child.listens_on(port))
        with socket.create_server(("127.0.0.1", 0)) as stranger:
            assert not child.listens_on(stranger.getsockname()[1])
    finally:
        await child.stop()
    assert not child.listens_on(port)


async def test_an_exit_report_has_name_code_and_last_lines(tmp_path: Path) -> None:
    child = start(tmp_path, "import sys; sys.exit('no more')")
    await child.wait()

    assert child.format_exit_report() == f"part ended with code 1; the end of {child.log}:\nno more"

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.architecture.sources import ROOT
from tests.waiting import until
from trimtab.runtime.stack_addresses import find_running_stack, get_creation_time

UP = """
import sys
import trimtab.cli.up.run
from trimtab.cli.app import main

trimtab.cli.up.run.FRONT_DOORS = {"worker": sys.argv.pop(1)}
main()
"""
WAITS = "import os, time; print(os.environ['TRIMTAB_REDIS__URL'], flush=True); time.sleep(600)"
CRASHES = "raise SystemExit('out of memory')"
MISCONFIGURED = "import sys; print('no such model'); sys.exit(2)"

Ups = list[subprocess.Popen[str]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, valkey_url: str) -> Iterator[Ups]:
    """Every `trimtab up` of a test, ended when that is over; they share a Redis."""
    ups: Ups = []
    monkeypatch.setenv("TRIMTAB_REDIS__URL", valkey_url)
    yield ups
    for process in ups:
        process.kill()
        process.communicate()


def up(started: Ups, folder: Path, part: str) -> subprocess.Popen[str]:
    """`trimtab up` in folder, with one small part in place of worker and bridge."""
    (folder / "part.py").write_text(part)
    process = subprocess.Popen(
        [sys.executable, "-c", UP, str(folder / "part.py"), "up"],
        cwd=folder, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
    )  # fmt: skip
    started.append(process)
    return process


def said_until(process: subprocess.Popen[str], pattern: str) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if re.search(pattern, said):
            return said
    message = f"{pattern!r} was not said, but:\n{said}"
    raise AssertionError(message)


async def test_it_shows_where_everything_is_and_ctrl_c_ends_it(
    started: Ups, tmp_path: Path
) -> None:
    process = up(started, tmp_path, WAITS)
    said = said_until(process, "Data and logs")
    stack = find_running_stack(tmp_path / ".trimtab")
    assert stack is not None
    log = tmp_path / ".trimtab/logs/worker.log"
    await until(lambda: log.exists() and log.read_text() == f"{stack.redis}\n")
    family = psutil.Process(process.pid).children(recursive=True)

    os.killpg(process.pid, signal.SIGINT)

    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert str(stack.ui) in said
    assert stack.redis in said
    assert "Everything has been stopped." in rest
    assert not any(get_creation_time(child.pid) for child in family)
    assert find_running_stack(tmp_path / ".trimtab") is None


async def test_the_next_start_has_the_same_ports(started: Ups, tmp_path: Path) -> None:
    addresses = []
    for _ in range(2):
        process = up(started, tmp_path, WAITS)
        said_until(process, "Data and logs")
        stack = find_running_stack(tmp_path / ".trimtab")
        assert stack is not None
        addresses.append((stack.temporal, stack.ui))
        process.terminate()
        process.communicate(timeout=60)

    assert addresses[0] == addresses[1]


async def test_a_crashed_part_is_started_again_and_the_terminal_says_so(
    started: Ups, tmp_path: Path
) -> None:
    process = up(started, tmp_path, CRASHES)

    said_until(process, r"worker ended with code 1: starting it again in 1 s \(.*worker\.log\)")

    process.terminate()
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Everything has been stopped." in rest


async def test_a_misconfigured_part_ends_it_with_the_reason(started: Ups, tmp_path: Path) -> None:
    process = up(started, tmp_path, MISCONFIGURED)

    said, _ = process.communicate(timeout=60)

    assert process.returncode == 1, said
    assert "worker ended with code 2" in said
    assert "no such model" in said
    assert "Traceback" not in said


async def test_a_second_one_on_the_same_home_says_who_holds_it(
    started: Ups, tmp_path: Path
) -> None:
    first = up(started, tmp_path, WAITS)
    said_until(first, "Data and logs")

    second = up(started, tmp_path, WAITS)
    said, _ = second.communicate(timeout=60)

    assert second.returncode == 1
    assert f"in use by process {first.pid}" in said

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import until
from trimtab.runtime.embedded.process_guard import guard_command
from trimtab.runtime.stack_addresses import get_creation_time

FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
loner = subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
)
print(os.getpid(), child.pid, loner.pid, flush=True)
time.sleep(600)
"""
"""A command with a child in its process group and one that left it."""

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""

STARTER = """
import subprocess, sys, time
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
time.sleep(600)
"""

GuardedProcess = subprocess.Popen[bytes]


@pytest.fixture
def processes() -> Iterator[list[GuardedProcess]]:
    """What a test has started; killed afterwards if it still lives."""
    started: list[GuardedProcess] = []
    yield started
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def start(command: list[str], *, grace: float = 5.0) -> GuardedProcess:
    return subprocess.Popen(
        guard_command(command, grace=grace),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def read_output(process: GuardedProcess) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def close_pipe(process: GuardedProcess) -> None:
    assert process.stdin is not None
    process.stdin.close()


def pids(line: str) -> list[int]:
    return [int(word) for word in line.split()]


def test_the_exit_code_is_passed_through(processes: list[GuardedProcess]) -> None:
    processes.append(start(["sh", "-c", "exit 7"]))
    assert processes[0].wait(10) == 7


def test_a_death_by_signal_gives_the_exit_code_of_a_shell(processes: list[GuardedProcess]) -> None:
    processes.append(start(["sh", "-c", "kill -9 $$"]))
    assert processes[0].wait(10) == 128 + signal.SIGKILL


def test_a_command_that_does_not_exist_is_an_error(processes: list[GuardedProcess]) -> None:
    process = subprocess.Popen(
        guard_command(["no-such-command"], grace=1), stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    processes.append(process)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 127
    assert b"cannot run no-such-command" in errors


async def test_all_descendants_end_when_the_starter_lets_go(
    processes: list[GuardedProcess],
) -> None:
    process = start([sys.executable, "-c", FAMILY])
    processes.append(process)
    family = pids(read_output(process))

    close_pipe(process)

    assert process.wait(10) == 128 + signal.SIGTERM
    await until(lambda: not any(map(get_creation_time, family)))


async def test_all_descendants_end_when_the_starter_is_killed_outright(
    tmp_path: Path, processes: list[GuardedProcess]
) -> None:
    log = tmp_path / "pids"
    with log.open("wb") as output:
        starter = subprocess.Popen(  # noqa: ASYNC220 - returns at once
            [
                sys.executable,
                "-c",
                STARTER,
                *guard_command([sys.executable, "-c", FAMILY], grace=5),
            ],
            stdout=output,
        )
    processes.append(starter)
    await until(lambda: len(pids(log.read_text())) == 3)
    family = pids(log.read_text())

    os.kill(starter.pid, signal.SIGKILL)

    await until(lambda: not any(map(get_creation_time, family)))


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux' parent-death signal")
async def test_the_command_ends_when_the_guard_itself_is_killed(
    processes: list[GuardedProcess],
) -> None:
    process = start([sys.executable, "-c", FAMILY])
    processes.append(process)
    command, *_ = family = pids(read_output(process))

    process.kill()

    await until(lambda: get_creation_time(command) is None)
    for pid in family[1:]:
        os.kill(pid, signal.SIGKILL)


def test_a_command_that_ignores_sigterm_is_killed_after_the_grace(
    processes: list[GuardedProcess],
) -> None:
    process = start([sys.executable, "-c", STUBBORN], grace=0.5)
    processes.append(process)
    read_output(process)

    process.terminate()

    assert process.wait(10) == 128 + signal.SIGKILL


def test_the_terminals_signals_do_not_reach_the_command(processes: list[GuardedProcess]) -> None:
    process = start(["sh", "-c", "ps -o pgid= -p $$"])
    processes.append(process)

    group = int(read_output(process))

    assert group != os.getpgid(os.getpid())
    assert group != process.pid


async def test_processes_that_a_command_leaves_behind_end_with_it(
    processes: list[GuardedProcess],
) -> None:
    process = start(["sh", "-c", "sleep 600 & echo $!"])
    processes.append(process)
    left = int(read_output(process))

    assert process.wait(10) == 0
    await until(lambda: get_creation_time(left) is None)

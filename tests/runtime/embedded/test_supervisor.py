import asyncio
import sys
from pathlib import Path

import pytest

from tests.waiting import until
from trimtab.runtime.embedded.children import ChildProcess, start_child
from trimtab.runtime.embedded.supervisor import keep_running
from trimtab.runtime.errors import StackError


class Part:
    """Ends with each of the codes in turn, then runs on."""

    def __init__(self, folder: Path, *codes: int) -> None:
        self._folder = folder
        self._codes = list(codes)
        self.children: list[ChildProcess] = []

    def __call__(self) -> ChildProcess:
        ending = f"sys.exit({self._codes.pop(0)})" if self._codes else "time.sleep(600)"
        code = f"import sys, time; print('hello', flush=True); {ending}"
        child = start_child(
            [sys.executable, "-c", code], log=self._folder / "worker.log", grace=1.0
        )
        self.children.append(child)
        return child


async def test_a_crashed_process_is_started_again_and_that_is_reported(tmp_path: Path) -> None:
    part, reported = Part(tmp_path, 1, 139), list[str]()

    keeping = asyncio.create_task(keep_running(part, report=reported.append, first_delay=0.01))
    await until(lambda: len(part.children) == 3 and part.children[2].read_last_lines())
    keeping.cancel()
    await part.children[2].stop()

    assert [line.split(": ")[0] for line in reported] == [
        "worker ended with code 1",
        "worker ended with code 139",
    ]


async def test_a_part_that_keeps_crashing_is_given_up(tmp_path: Path) -> None:
    part = Part(tmp_path, 1, 1, 1, 1)

    with pytest.raises(StackError, match=r"worker ended with code 1(.|\n)*hello"):
        await keep_running(part, report=lambda _: None, first_delay=0.01, max_failures=3)

    assert len(part.children) == 3


async def test_a_wrong_configuration_is_not_tried_again(tmp_path: Path) -> None:
    part = Part(tmp_path, 2)

    with pytest.raises(StackError, match="code 2"):
        await keep_running(part, report=lambda _: None)

    assert len(part.children) == 1

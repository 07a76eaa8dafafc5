import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest
from pydantic import JsonValue

from tests.architecture.sources import ROOT
from tests.waiting import until
from trimtab.adapters.pipeline_process import WARM_UP, PipelineProcesses
from trimtab.contracts.ports import Refused, Unavailable


class AwkwardError(Exception):
    """Cannot be made again from its text alone, as pickle would."""

    def __init__(self, *, one: str, other: str) -> None:
        super().__init__(one + other)


def behave(name: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Stands for the pipelines; runs in the other process."""
    match name:
        case "refuse":
            raise Refused(str(params["why"]))
        case "be-busy":
            msg = "database is locked"
            raise Unavailable(msg)
        case "break":
            raise AwkwardError(one="some", other="thing")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "sleep":
            Path(str(params["mark"])).write_text(str(os.getpid()))
            time.sleep(60)
        case "compute":
            Path(str(params["mark"])).write_text(str(os.getpid()))
            ends = time.monotonic() + 60
            while time.monotonic() < ends:
                sum(range(10_000))
    main = getattr(sys.modules["__main__"], "__file__", None)
    return {"pid": os.getpid(), "home": os.environ.get("TRIMTAB_HOME"), "main": main}


@pytest.fixture
def processes() -> Iterator[PipelineProcesses]:
    pool = PipelineProcesses(behave, max_workers=1, environment={"TRIMTAB_HOME": "/elsewhere"})
    yield pool
    pool.close()


async def test_runs_share_a_process_that_is_not_this_one(processes: PipelineProcesses) -> None:
    first, second = await processes.run("look", {}), await processes.run("look", {})

    assert first == second
    assert first["pid"] != os.getpid()


async def test_ctrl_c_in_the_terminal_is_not_for_the_processes(
    processes: PipelineProcesses,
) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    first = await processes.run("look", {})
    os.kill(int(str(first["pid"])), signal.SIGINT)

    again = await processes.run("look", {})

    assert again["pid"] == first["pid"]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


async def test_the_environment_is_set_there_and_not_here(processes: PipelineProcesses) -> None:
    assert (await processes.run("look", {}))["home"] == "/elsewhere"
    assert os.environ.get("TRIMTAB_HOME") != "/elsewhere"


async def test_the_parents_main_module_is_not_imported_again(processes: PipelineProcesses) -> None:
    main = sys.modules["__main__"]

    assert (await processes.run("look", {}))["main"] is None
    assert sys.modules["__main__"] is main


async def test_errors_of_the_ports_come_back(processes: PipelineProcesses) -> None:
    with pytest.raises(Refused, match="no such model"):
        await processes.run("refuse", {"why": "no such model"})
    with pytest.raises(Unavailable, match="locked"):
        await processes.run("be-busy", {})


async def test_a_bug_comes_back_with_its_name_and_the_process_lives(
    processes: PipelineProcesses,
) -> None:
    before = await processes.run("look", {})

    with pytest.raises(RuntimeError, match="pipeline 'break' failed: AwkwardError: something"):
        await processes.run("break", {})

    assert await processes.run("look", {}) == before


async def test_a_killed_process_is_replaced(processes: PipelineProcesses) -> None:
    with pytest.raises(Unavailable, match="pipeline 'die' ended"):
        await processes.run("die", {})

    assert (await processes.run("look", {}))["pid"]


async def test_an_idle_process_that_dies_is_replaced_too(processes: PipelineProcesses) -> None:
    pid = (await processes.run("look", {}))["pid"]
    assert isinstance(pid, int)
    psutil.Process(pid).kill()
    await asyncio.sleep(0.5)

    assert (await processes.run("look", {}))["pid"] != pid


async def sleeping(
    processes: PipelineProcesses, mark: Path
) -> tuple[asyncio.Task[dict[str, JsonValue]], psutil.Process]:
    """A run that has begun and will not end of its own, and its process."""
    run = asyncio.create_task(processes.run("sleep", {"mark": str(mark)}))
    await until(lambda: mark.exists() and mark.read_text())
    return run, psutil.Process(await asyncio.to_thread(lambda: int(mark.read_text())))


async def test_cancelling_ends_the_process(processes: PipelineProcesses, tmp_path: Path) -> None:
    run, sleeper = await sleeping(processes, tmp_path / "mark")

    run.cancel()

    with pytest.raises(asyncio.CancelledError):
        await run
    await asyncio.to_thread(sleeper.wait, 10)
    assert (await processes.run("look", {}))["pid"] != sleeper.pid


async def test_closing_ends_running_processes(processes: PipelineProcesses, tmp_path: Path) -> None:
    run, sleeper = await sleeping(processes, tmp_path / "mark")

    await asyncio.to_thread(processes.close)

    assert not sleeper.is_running()
    run.cancel()


HOLDER = """
import asyncio, sys
from tests.adapters.test_pipeline_process import behave
from trimtab.adapters.pipeline_process import PipelineProcesses

asyncio.run(PipelineProcesses(behave, max_workers=1).run(sys.argv[1], {"mark": sys.argv[2]}))
"""


@pytest.mark.parametrize("work", ["sleep", "compute"])
async def test_a_pipeline_dies_with_its_worker_by_kill_9(work: str, tmp_path: Path) -> None:
    """Without it, the pipeline would go on and register a second version."""
    mark = tmp_path / "mark"
    worker = subprocess.Popen(  # noqa: ASYNC220 - returns at once
        [sys.executable, "-c", HOLDER, work, str(mark)], cwd=ROOT
    )
    await until(lambda: mark.exists() and mark.read_text(), seconds=60)
    pipeline = psutil.Process(int(mark.read_text()))

    worker.kill()
    worker.wait()

    await asyncio.to_thread(pipeline.wait, 5)
    assert not pipeline.is_running()


def test_warming_returns_at_once(processes: PipelineProcesses) -> None:
    began = time.perf_counter()

    processes.warm_up()

    assert time.perf_counter() - began < 0.5


def test_a_pool_that_was_never_used_can_be_closed() -> None:
    PipelineProcesses(behave, max_workers=1).close()


def test_the_word_for_warming_is_the_pipelines_own() -> None:
    from trimtab.pipelines import session  # noqa: PLC0415 - two rooms that do not know each other

    assert session.WARM_UP_PIPELINE == WARM_UP

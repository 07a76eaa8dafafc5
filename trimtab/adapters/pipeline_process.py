"""Runs pipelines in processes of their own, which can be ended: the port `PipelineRunner`.

Models, data and the libraries that read them stay out of the worker's process. A process dies
with its worker, even by kill -9: Temporal gives the work to another worker then, and a pipeline
that went on alone would do it a second time.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, parent_process, resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.popen_spawn_posix import Popen
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Final

from pebble import ProcessExpired, ProcessFuture, ProcessPool
from pydantic import JsonValue
from typing_extensions import override

from trimtab.contracts.ports import Refused, Unavailable

RunPipeline = Callable[[str, Mapping[str, JsonValue]], dict[str, JsonValue]]

WARM_UP: Final = "warm"
"""Name under which a new process is asked to load what the pipelines need; it reads nothing."""

log = logging.getLogger(__name__)


class PipelineProcesses:
    """A pool that keeps its processes, with what they have loaded, until one is ended.

    `run` is called in those processes: it must be importable, and answer `WARM_UP` with `{}`.
    `environment` is added there to this process's own.
    """

    def __init__(
        self, run: RunPipeline, *, max_workers: int, environment: Mapping[str, str] | None = None
    ) -> None:
        self._run = run
        self._max_workers = max_workers
        self._environment = dict(environment or {})
        self._lock = threading.Lock()
        self._pool: ProcessPool | None = None

    def warm_up(self) -> None:
        """Start the processes now, so that the first run need not wait; return at once."""
        self._schedule(WARM_UP, {})

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Run a pipeline and return its report; cancelling ends the process that runs it.

        Raises:
            Refused: The input is wrong.
            Unavailable: The process was killed, or a store is busy.
            RuntimeError: The pipeline has a bug.
        """
        try:
            return await asyncio.wrap_future(self._schedule(pipeline, dict(params)))
        except (ProcessExpired, BrokenProcessPool) as error:
            msg = f"the process that ran pipeline {pipeline!r} ended: {error}"
            raise Unavailable(msg) from error

    def close(self) -> None:
        """End all processes, even those that run a pipeline."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]  # pebble's
            pool.join()

    def _schedule(
        self, pipeline: str, params: dict[str, JsonValue]
    ) -> ProcessFuture[dict[str, JsonValue]]:
        with self._lock:
            if self._pool is None or not self._pool.active:
                self._pool = self._new_pool()
            return self._pool.schedule(_run_in_process, args=(self._run, pipeline, params))

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self._max_workers,
            initializer=_initialise_process,
            initargs=(self._run, self._environment),
            context=_BareSpawnContext(),
        )


def _initialise_process(run: RunPipeline, environment: Mapping[str, str]) -> None:
    """Tie a new process to its parent, set its environment and load what the pipelines need."""
    threading.Thread(target=_die_with_parent, name="die-with-parent", daemon=True).start()
    os.environ.update(environment)
    try:
        run(WARM_UP, {})
    except Exception:
        log.exception("the pipelines could not be loaded in advance")


def _die_with_parent() -> None:
    """Kill this process as soon as its parent has ended.

    The sentinel is a pipe whose other end only the parent holds. Linux could send a signal instead
    (PR_SET_PDEATHSIG), but does so when the *thread* ends that started the process.
    """
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)


def _run_in_process(
    run: RunPipeline, pipeline: str, params: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """Run a pipeline; every exception but a port's becomes one that can cross to our process."""
    try:
        return run(pipeline, params)
    except (Refused, Unavailable):
        raise
    except Exception as error:
        log.exception("pipeline %s failed", pipeline)
        msg = f"pipeline {pipeline!r} failed: {type(error).__name__}: {error}"
        raise RuntimeError(msg) from None


_launch_lock = threading.Lock()


@contextmanager
def _block_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from a process that is started in the block: its owner ends it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _BarePopen(Popen):
    """Starts a process that does not import its parent's main module again.

    The worker's imports take seconds, and a process for pipelines does not need them.
    """

    def _launch(self, process_obj: BaseProcess) -> None:
        resource_tracker.ensure_running()  # it would unblock the signal below
        with _launch_lock, _block_interrupts():
            main = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            try:
                super()._launch(process_obj)  # type: ignore[misc]  # typeshed lacks it
            finally:
                sys.modules["__main__"] = main


class _BareSpawnProcess(SpawnProcess):
    @staticmethod
    @override
    def _Popen(process_obj: BaseProcess) -> Popen:
        return _BarePopen(process_obj)


class _BareSpawnContext(SpawnContext):
    Process = _BareSpawnProcess

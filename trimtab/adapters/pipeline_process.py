"""Runs pipelines in processes of their own, which can be ended: implements `PipelineRunner`.

Models, data and the libraries that read them stay out of the worker's process.
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
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.popen_spawn_posix import Popen
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Final

from pebble import ProcessExpired, ProcessFuture, ProcessPool
from pydantic import JsonValue

from trimtab.contracts.ports import Refused, Unavailable

Run = Callable[[str, Mapping[str, JsonValue]], dict[str, JsonValue]]

WARM: Final = "warm"
"""What a new process runs first: loads what the pipelines need, and reads nothing."""

log = logging.getLogger(__name__)


class PipelineProcesses:
    """A pool that keeps its processes, with what they have loaded, until one is ended.

    `run` is called in those processes: it must be importable, and answer `WARM` with `{}`.
    `environment` is set there on top of this process's own.
    """

    def __init__(
        self, run: Run, *, max_workers: int, environment: Mapping[str, str] | None = None
    ) -> None:
        self._run = run
        self._max_workers = max_workers
        self._environment = dict(environment or {})
        self._lock = threading.Lock()
        self._pool: ProcessPool | None = None

    def warm(self) -> None:
        """Start the processes now, so that the first run need not wait; returns at once."""
        self._schedule(WARM, {})

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """The pipeline's report; cancelling ends the process that runs it.

        Raises `Refused` for bad input, `Unavailable` where a process was killed or a store is
        busy; a bug in a pipeline rises as `RuntimeError`.
        """
        try:
            return await asyncio.wrap_future(self._schedule(pipeline, dict(params)))
        except (ProcessExpired, BrokenProcessPool) as error:
            msg = f"the process that ran pipeline {pipeline!r} ended: {error}"
            raise Unavailable(msg) from error

    def close(self) -> None:
        """End all processes, whatever they do."""
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
            return self._pool.schedule(_answer, args=(self._run, pipeline, params))

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self._max_workers,
            initializer=_begin,
            initargs=(self._run, self._environment),
            context=_BareSpawnContext(),
        )


def _begin(run: Run, environment: Mapping[str, str]) -> None:
    """First thing in a new process."""
    os.environ.update(environment)
    try:
        run(WARM, {})
    except Exception:
        log.exception("the pipelines could not be loaded in advance")


def _answer(run: Run, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Every other exception becomes one that surely crosses to the other process."""
    try:
        return run(pipeline, params)
    except (Refused, Unavailable):
        raise
    except Exception as error:
        log.exception("pipeline %s failed", pipeline)
        msg = f"pipeline {pipeline!r} failed: {type(error).__name__}: {error}"
        raise RuntimeError(msg) from None


_launching = threading.Lock()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """What is started in here never hears of Ctrl-C in the terminal: its owner ends it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _BarePopen(Popen):
    """Starts a process that does not import its parent's main module again.

    The worker's imports take seconds that a process for pipelines has no use for.
    """

    def _launch(self, process_obj: BaseProcess) -> None:
        resource_tracker.ensure_running()  # it would unblock the signal below
        with _launching, _without_interrupts():
            main = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            try:
                super()._launch(process_obj)  # type: ignore[misc]  # typeshed lacks it
            finally:
                sys.modules["__main__"] = main


class _BareSpawnProcess(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Popen:  # noqa: N802 - the base class's name
        return _BarePopen(process_obj)


class _BareSpawnContext(SpawnContext):
    Process = _BareSpawnProcess

"""Ends a command when the process that started it ends, even by kill -9.

Run by path with `python -I process_guard.py --grace 10 -- COMMAND…`: it uses the standard library
alone until the end. Its stdin is a pipe whose writing end only the starter holds. When that end
closes, COMMAND's process group gets SIGTERM, and after the grace SIGKILL with all its descendants.
COMMAND has a session of its own, so Ctrl-C in a terminal reaches the starter only.
"""

import argparse
import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_POLL_SECONDS: Final = 0.25
"""Time between checks of what sends no signal, such as a change of the parent process."""
_FORWARDED_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_EXIT_NOT_FOUND: Final = 127


def guard_command(command: list[str], *, grace: float) -> list[str]:
    """Return the command line that runs the command under a guard.

    Args:
        command: The command line to run.
        grace: Seconds from SIGTERM to SIGKILL.
    """
    return [sys.executable, "-I", str(Path(__file__)), "--grace", str(grace), "--", *command]


class ProcessGuard:
    """One command, and the events that end it."""

    def __init__(self, command: list[str], *, grace: float) -> None:
        self._command = command
        self._grace = grace
        self._stop_requested = False
        self._deadline: float | None = None
        self._starter = os.getppid()
        self._watched = [sys.stdin.fileno()]

    def run(self) -> int:
        """Run the command until it or its starter ends; return its exit code as a shell would."""
        wake = self._install_signal_handlers()
        _call_prctl(_PR_SET_CHILD_SUBREAPER, 1)
        try:
            child = subprocess.Popen(  # noqa: S603 - the starter's own command
                self._command,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_die_with_guard,  # noqa: PLW1509 - this process has one thread
            )
        except OSError as error:
            sys.stderr.write(f"cannot run {self._command[0]}: {error}\n")
            return _EXIT_NOT_FOUND
        while child.poll() is None:
            self._end_when_due(child)
            self._wait_for_event(wake)
        _kill_remaining_processes(child.pid)
        return child.returncode if child.returncode >= 0 else 128 - child.returncode

    def _install_signal_handlers(self) -> int:
        """Return the reading end of a pipe that becomes readable with every signal."""
        reading, writing = os.pipe()
        for end in (reading, writing):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in _FORWARDED_SIGNALS:
            signal.signal(number, self._request_stop)
        return reading

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_requested = True

    def _end_when_due(self, child: subprocess.Popen[bytes]) -> None:
        if self._deadline is None and (self._stop_requested or os.getppid() != self._starter):
            self._deadline = time.monotonic() + self._grace
            _signal_group(child.pid, signal.SIGTERM)
        if self._deadline is not None and time.monotonic() > self._deadline:
            _signal_group(child.pid, signal.SIGKILL)

    def _wait_for_event(self, wake: int) -> None:
        ready, _, _ = select.select([*self._watched, wake], [], [], _POLL_SECONDS)
        if wake in ready:
            os.read(wake, 4096)
        for end in set(ready) - {wake}:
            if not os.read(end, 4096):  # the starter's end of the pipe is closed
                self._watched.remove(end)
                self._stop_requested = True


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _kill_remaining_processes(group: int) -> None:
    """Kill descendants that outlived the command, and every process still in its group."""
    import psutil  # noqa: PLC0415 - third-party: only when the command is over

    remaining = psutil.Process().children(recursive=True)
    for process in psutil.process_iter():
        with contextlib.suppress(OSError):
            if os.getpgid(process.pid) == group:
                remaining.append(process)
    for process in remaining:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _die_with_guard() -> None:
    _call_prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _call_prctl(option: int, value: int) -> None:
    """Call prctl(2), which only Linux has; elsewhere the pipe alone must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def main() -> int:
    """Parse the command line, run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grace", type=float, default=10.0, help="seconds from TERM to KILL")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    return ProcessGuard(options.command, grace=options.grace).run()


if __name__ == "__main__":
    sys.exit(main())

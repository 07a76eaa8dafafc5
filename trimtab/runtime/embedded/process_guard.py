"""Ends a command when the process that started it ends, even by kill -9.

Run by path with `python -I runtime/leash.py --grace 10 -- CMD…`: it uses the standard library
alone until the end. Its stdin is a pipe whose writing end only the starter holds; when that
closes, CMD's process group gets SIGTERM, and after the grace SIGKILL with all its descendants.
CMD has a session of its own, so Ctrl-C in a terminal reaches the starter only.
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
_GLANCE: Final = 0.25
"""Seconds between looks at things that give no signal."""
_PASSED_ON: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_NOT_FOUND: Final = 127


def leashed(command: list[str], *, grace: float) -> list[str]:
    """The command line that runs command on a leash."""
    return [sys.executable, "-I", str(Path(__file__)), "--grace", str(grace), "--", *command]


class Leash:
    """One command and the reasons to end it."""

    def __init__(self, command: list[str], *, grace: float) -> None:
        self._command = command
        self._grace = grace
        self._asked = False
        self._deadline: float | None = None
        self._starter = os.getppid()
        self._watched = [sys.stdin.fileno()]

    def run(self) -> int:
        """Run the command to its end, or to ours; the exit code as a shell would give it."""
        wake = self._listen_for_signals()
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        try:
            child = subprocess.Popen(  # noqa: S603 - the starter's own command
                self._command,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_die_with_the_leash,  # noqa: PLW1509 - this process has one thread
            )
        except OSError as error:
            sys.stderr.write(f"cannot run {self._command[0]}: {error}\n")
            return _NOT_FOUND
        while child.poll() is None:
            self._end_when_due(child)
            self._pause(wake)
        _kill_what_is_left(child.pid)
        return child.returncode if child.returncode >= 0 else 128 - child.returncode

    def _listen_for_signals(self) -> int:
        reading, writing = os.pipe()
        for end in (reading, writing):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in _PASSED_ON:
            signal.signal(number, self._ask)
        return reading

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True

    def _end_when_due(self, child: subprocess.Popen[bytes]) -> None:
        if self._deadline is None and (self._asked or os.getppid() != self._starter):
            self._deadline = time.monotonic() + self._grace
            _signal_group(child.pid, signal.SIGTERM)
        if self._deadline is not None and time.monotonic() > self._deadline:
            _signal_group(child.pid, signal.SIGKILL)

    def _pause(self, wake: int) -> None:
        ready, _, _ = select.select([*self._watched, wake], [], [], _GLANCE)
        if wake in ready:
            os.read(wake, 4096)
        for end in set(ready) - {wake}:
            if not os.read(end, 4096):
                self._watched.remove(end)
                self._asked = True


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _kill_what_is_left(group: int) -> None:
    """Kill descendants that outlived the command, and whoever else is still in its group."""
    import psutil  # noqa: PLC0415 - third-party: only when the command is over

    left = psutil.Process().children(recursive=True)
    for process in psutil.process_iter():
        with contextlib.suppress(OSError):
            if os.getpgid(process.pid) == group:
                left.append(process)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _die_with_the_leash() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    """Linux only: elsewhere the pipe alone must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grace", type=float, default=10.0, help="seconds from TERM to KILL")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    return Leash(options.command, grace=options.grace).run()


if __name__ == "__main__":
    sys.exit(main())

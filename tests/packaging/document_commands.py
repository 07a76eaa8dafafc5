"""The shell commands of a document, run in order as a newcomer would type them."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.architecture.sources import ROOT, tracked_files

PROGRAMS = (
    "sh", "make", "awk", "sed", "grep", "basename", "cat", "cp", "dirname", "env", "ls", "mkdir",
    "mv", "readlink", "rm", "sleep", "uname",
)  # fmt: skip
"""All that the PATH of a newcomer leads to, beside Python."""
LASTING = {
    "bin/trimtab up": "Trimtab is up",
    ".venv/bin/python worker.py": "worker_started",
    ".venv/bin/python worker.py --queues trimtab-actions": "worker_started",
    ".venv/bin/python starter.py": "bridge_started",
}
"""Commands that run until they are ended, each with what it prints once it is ready."""
PATIENCE = 600.0
"""Seconds that a command may take."""


@dataclass(frozen=True)
class Block:
    """The commands of one fenced block, without their comments."""

    commands: tuple[str, ...]


def shell_blocks(document: Path) -> Iterator[Block]:
    """Every block that is marked as `sh`, also inside of lists."""
    fences = re.findall(
        r"^ *```sh\n(.*?)^ *```", document.read_text(), flags=re.MULTILINE | re.DOTALL
    )
    for text in fences:
        lines = text.replace("\\\n", " ").splitlines()
        yield Block(tuple(_commands_of(lines)))


def _commands_of(lines: list[str]) -> Iterator[str]:
    """Yield each command on one line; one whose quotes are open goes on in the next line."""
    command = ""
    for line in lines:
        command = f"{command} {line}"
        try:
            shlex.split(command, comments=True)
        except ValueError:
            continue
        if words := " ".join(re.sub(r"(^|\s)#.*", "", command).split()):
            yield words
        command = ""


def copy_checkout(folder: Path) -> Path:
    """Copy what git tracks, and let `.venv` lead to this environment: `make demo` is slow."""
    checkout = folder / "checkout"
    for path in tracked_files():
        target = checkout / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    (checkout / ".venv").symlink_to(sys.prefix)
    return checkout


@dataclass
class Newcomer:
    """Someone with Python, make and the tools of every Unix, in a copy of the checkout."""

    checkout: Path
    path: Path
    replaced: Mapping[str, str] = field(default_factory=dict)
    """Addresses of an example, and what stands in for each."""
    _lasting: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    def in_folder(cls, folder: Path, **replaced: str) -> "Newcomer":
        """Give someone a copy of the checkout, an empty home, and a PATH without uv."""
        path, home = folder / "bin", folder / "home"
        path.mkdir()
        home.mkdir()
        for name in PROGRAMS:
            found = shutil.which(name, path="/bin:/usr/bin")
            assert found, f"this machine has no {name}"
            (path / name).symlink_to(found)
        (path / "python3").symlink_to(Path(sys.prefix, "bin", "python3").resolve())
        return cls(copy_checkout(folder), path, replaced)

    def run(self, command: str, *, exports: tuple[str, ...] = ()) -> tuple[int, str]:
        """Run a command until it ends; return its exit code and all that it printed."""
        done = subprocess.run(
            ["/bin/sh", "-c", self._replace("\n".join([*exports, command]))],
            cwd=self.checkout, env=self._environment(command), check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=PATIENCE,
        )  # fmt: skip
        return done.returncode, done.stdout

    def start(self, command: str) -> None:
        """Start a command that lasts, and wait until it is ready."""
        log = self.path.with_name(f"{len(self._lasting)}.log")
        with log.open("wb") as sink:
            process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"], cwd=self.checkout,
                env=self._environment(command), stdin=subprocess.DEVNULL, stdout=sink,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._lasting[command] = process
        deadline = time.monotonic() + PATIENCE
        while LASTING[command] not in log.read_text():
            assert process.poll() is None, f"{command} ended:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"{command} is not ready:\n{log.read_text()}"
            time.sleep(0.1)

    def stop(self, command: str) -> int:
        """End a command that lasts as Ctrl-C does, and return its exit code."""
        process = self._lasting.pop(command)
        process.send_signal(signal.SIGINT)
        try:
            return process.wait(timeout=60)
        finally:
            if process.poll() is None:
                process.kill()

    def stop_all(self) -> None:
        """End every command that lasts, the newest first."""
        for command in reversed([*self._lasting]):
            self.stop(command)

    def _replace(self, command: str) -> str:
        for example, real in self.replaced.items():
            command = command.replace(example, real)
        return command

    def _environment(self, command: str) -> dict[str, str]:
        """The newcomer's variables; `temporal` is told the port where the usual one was taken."""
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        variables = {
            **kept, "PATH": str(self.path), "HOME": str(self.path.with_name("home")),
            "TERM": "dumb", "DO_NOT_TRACK": "1",
        }  # fmt: skip
        addresses = self.checkout / ".trimtab" / "stack.json"
        if command.startswith("bin/temporal") and addresses.exists():
            variables["TEMPORAL_ADDRESS"] = json.loads(addresses.read_text())["temporal"]
        return variables

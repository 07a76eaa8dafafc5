"""Who answers when a replayed incident asks a person: a terminal, a script, or nobody."""

import asyncio
import getpass
import os
import shlex
import sys
from pathlib import Path
from typing import Final, Protocol

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from policies.approval_page import format_signal_command
from trimtab.contracts.approval import Choice, TemporalCommand
from trimtab.contracts.incident import IncidentView
from trimtab.runtime.paths import temporal_command

_ANSWERS: Final = ("approve", "reject", "wait")
_LONGEST: Final = 4096
"""Bytes of an answer."""


class AnswerFailed(Exception):  # noqa: N818 - says what happened
    """An answer could not be sent; the message holds the `temporal` command's last words."""


class Respondent(Protocol):
    """Sees the page that a person would see, and answers or not."""

    async def respond(self, view: IncidentView, *, workflow_id: str, address: str) -> str:
        """Answer the open question; what was done, in a few words."""


class Nobody:
    """Shows the page and lets the question expire."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def respond(self, view: IncidentView, *, workflow_id: str, address: str) -> str:
        """Nothing is sent."""
        command = _command(view, workflow_id, address, Choice.APPROVE)
        _show(self._console, view, command, "nobody is here to answer: it will expire")
        return "nobody answered"


class Scripted:
    """Approves by running the very command that the page names."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def respond(self, view: IncidentView, *, workflow_id: str, address: str) -> str:
        """The signal is sent by the `temporal` CLI."""
        command = _command(view, workflow_id, address, Choice.APPROVE)
        _show(self._console, view, command, "--yes plays the person and runs this very command")
        await _run(command)
        return "approved by --yes"


class Terminal:
    """Asks whoever sits in front of it."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def respond(self, view: IncidentView, *, workflow_id: str, address: str) -> str:
        """Approve or reject here, or wait for a signal from another terminal."""
        approve = _command(view, workflow_id, address, Choice.APPROVE)
        _show(self._console, view, approve, "run this in another terminal, or answer here")
        answer = await self._answer()
        if answer == "wait":
            return "waiting for a signal"
        await _run(_command(view, workflow_id, address, Choice(answer)))
        return f"{answer} was sent"

    async def _answer(self) -> str:
        """One of the answers; Enter alone, and the end of the input, wait."""
        while True:
            question = "[bold]approve, reject, or wait for a signal?[/] [dim](wait)[/] "
            self._console.print(question, end="", highlight=False)
            said = (await _line(sys.stdin.fileno())).strip().lower()
            meant = [answer for answer in _ANSWERS if said and answer.startswith(said)]
            if not said:
                return "wait"
            if len(meant) == 1:
                return meant[0]
            self._console.print(f"{said!r}: write approve, reject or wait", markup=False)


async def _line(source: int) -> str:
    """What is typed until Enter; unlike a thread that reads, it can be cancelled at any moment."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[bytes] = loop.create_future()

    def take() -> None:
        if not typed.done():
            typed.set_result(os.read(source, _LONGEST))

    loop.add_reader(source, take)
    try:
        return (await typed).decode(errors="replace")
    finally:
        loop.remove_reader(source)


def _command(view: IncidentView, workflow_id: str, address: str, choice: Choice) -> str:
    (program,) = shlex.split(temporal_command())
    return format_signal_command(
        workflow_id,
        view.plan_hash or "",
        command=TemporalCommand(program=program, address=address),
        approver=getpass.getuser(),
        choice=choice,
    )


def _show(console: Console, view: IncidentView, command: str, note: str) -> None:
    console.print(Panel(Text(view.page or ""), title="A person must decide", expand=False))
    console.print(Text(f"$ {command}", style="bold"), soft_wrap=True)
    console.print(f"[dim]{note}[/]")


async def _run(command: str) -> None:
    """Run a command line as a shell would, with the environment's own `temporal` first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    process = await asyncio.create_subprocess_exec(
        *shlex.split(command),
        env={**os.environ, "PATH": path},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        msg = f"`{command}` ended with {process.returncode}: {output.decode().strip()}"
        raise AnswerFailed(msg)

"""Who answers when a replayed incident asks a person: a terminal, a script, or nobody."""

import asyncio
import getpass
import os
import shlex
import sys
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.panel import Panel
from rich.prompt import Prompt
from rich.text import Text

from contracts.approval import Choice
from contracts.incident import IncidentView
from policies.approval import signal_command


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
        answer = await asyncio.to_thread(
            Prompt.ask,
            "[bold]approve, reject, or wait for a signal?[/]",
            console=self._console,
            choices=["approve", "reject", "wait"],
            default="wait",
        )
        if answer == "wait":
            return "waiting for a signal"
        await _run(_command(view, workflow_id, address, Choice(answer)))
        return f"{answer} was sent"


def _command(view: IncidentView, workflow_id: str, address: str, choice: Choice) -> str:
    return signal_command(
        workflow_id,
        view.plan_hash or "",
        approver=getpass.getuser(),
        choice=choice,
        address=address,
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
        raise RuntimeError(msg)

"""Who answers when a replayed incident asks a person: the terminal, a script, or no one."""

import asyncio
import getpass
import json
import os
import shlex
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from rich.console import Console
from rich.rule import Rule

from policies.approval_page import format_signal_command
from trimtab.cli.console import print_unbroken
from trimtab.contracts.approval import Choice, TemporalCommand
from trimtab.contracts.errors import TrimtabError
from trimtab.contracts.incident import IncidentView
from trimtab.runtime.paths import temporal_command

_ANSWERS: Final = ("approve", "reject", "wait")
_MAX_ANSWER_BYTES: Final = 4096
_MAX_SHOWN: Final = 200
"""Characters of a program's output that an error repeats."""
ANSWER_TIMEOUT: Final = timedelta(seconds=60)
"""Time that a program has for one answer."""


class AnswerError(TrimtabError):
    """An answer could not be sent; the message holds the last lines of the `temporal` command."""


class Respondent(Protocol):
    """Sees the page that a person would see, and answers or not."""

    async def respond(self, view: IncidentView, *, workflow_id: str, address: str) -> str:
        """Answer the open question, and return in a few words what was done."""


class SilentRespondent:
    """Shows the page and lets the question expire."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def respond(self, view: IncidentView, *, workflow_id: str, address: str) -> str:
        """Send nothing."""
        command = _build_command(view, workflow_id, address, Choice.APPROVE)
        _print_page(self._console, view, command, "There is no terminal to answer: it will expire.")
        return "not answered"


class ScriptedRespondent:
    """Approves by running the page's `temporal` command."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def respond(self, view: IncidentView, *, workflow_id: str, address: str) -> str:
        """Send the signal with the `temporal` command."""
        command = _build_command(view, workflow_id, address, Choice.APPROVE)
        _print_page(self._console, view, command, "This command is run in the person's place.")
        await _run_command(command)
        return "approved by that command"


class CommandRespondent:
    """Asks a program of the user's own, which gets the question as JSON.

    Raises:
        AnswerError: The command cannot be started, fails, takes too long, or answers otherwise.
    """

    def __init__(self, console: Console, command: str) -> None:
        self._console = console
        self._words = shlex.split(command)
        self._command = command
        if not self._words:
            msg = "--respond is empty: name a program that prints approve or reject"
            raise AnswerError(msg)

    async def respond(self, view: IncidentView, *, workflow_id: str, address: str) -> str:
        """Send what the program answers."""
        question = {"workflow_id": workflow_id, **view.model_dump(mode="json")}
        choice = self._parse_answer(await self._ask(json.dumps(question)))
        await _run_command(_build_command(view, workflow_id, address, choice))
        self._console.print(
            f"{view.event_id}: `{self._command}` answered {choice}", highlight=False, markup=False
        )
        return f"{choice} was answered by the command"

    async def _ask(self, question: str) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            msg = f"--respond {self._command!r} cannot be started: {error.strerror}"
            raise AnswerError(msg) from error
        try:
            output, errors = await asyncio.wait_for(
                process.communicate(question.encode()), ANSWER_TIMEOUT.total_seconds()
            )
        except TimeoutError:
            process.kill()
            await process.wait()
            msg = f"--respond {self._command!r} gave no answer in {ANSWER_TIMEOUT}"
            raise AnswerError(msg) from None
        if process.returncode:
            last = errors.decode(errors="replace").strip()[-_MAX_SHOWN:]
            msg = f"--respond {self._command!r} ended with code {process.returncode}: {last}"
            raise AnswerError(msg)
        return output.decode(errors="replace")

    def _parse_answer(self, output: str) -> Choice:
        try:
            return Choice(output.strip().lower())
        except ValueError:
            msg = (
                f"--respond {self._command!r} printed {output.strip()[:_MAX_SHOWN]!r}: it must"
                " print approve or reject, and nothing else"
            )
            raise AnswerError(msg) from None


class TerminalRespondent:
    """Asks the person at the terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def respond(self, view: IncidentView, *, workflow_id: str, address: str) -> str:
        """Approve or reject here, or wait for a signal from another terminal."""
        approve = _build_command(view, workflow_id, address, Choice.APPROVE)
        _print_page(self._console, view, approve, "Run this in another terminal, or answer here.")
        answer = await self._read_answer()
        if answer == "wait":
            return "waiting for a signal"
        await _run_command(_build_command(view, workflow_id, address, Choice(answer)))
        return f"{answer} was sent"

    async def _read_answer(self) -> str:
        """Return one of the answers; Enter alone, and the end of the input, mean wait."""
        while True:
            question = "[bold]approve, reject, or wait for a signal?[/] [dim](wait)[/] "
            self._console.print(question, end="", highlight=False)
            typed = (await _read_line(sys.stdin.fileno())).strip().lower()
            matching = [answer for answer in _ANSWERS if typed and answer.startswith(typed)]
            if not typed:
                return "wait"
            if len(matching) == 1:
                return matching[0]
            self._console.print(f"{typed!r}: write approve, reject or wait", markup=False)


async def _read_line(source: int) -> str:
    """Return what is typed until Enter; unlike a thread that reads, it can always be cancelled."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[bytes] = loop.create_future()

    def read_available() -> None:
        if not typed.done():
            typed.set_result(os.read(source, _MAX_ANSWER_BYTES))

    loop.add_reader(source, read_available)
    try:
        return (await typed).decode(errors="replace")
    finally:
        loop.remove_reader(source)


def _build_command(view: IncidentView, workflow_id: str, address: str, choice: Choice) -> str:
    (program,) = shlex.split(temporal_command())
    return format_signal_command(
        workflow_id,
        view.plan_hash or "",
        command=TemporalCommand(program=program, address=address),
        approver=getpass.getuser(),
        choice=choice,
    )


def _print_page(console: Console, view: IncidentView, command: str, note: str) -> None:
    """Print the page as it is: its lines are wrapped, and its command can be copied."""
    console.print(Rule("A person must decide", align="left"))
    for line in (view.page or "").splitlines():
        print_unbroken(console, line)
    console.print(Rule())
    print_unbroken(console, f"$ {command}", style="bold")
    console.print(f"[dim]{note}[/]")


async def _run_command(command: str) -> None:
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
        msg = f"`{command}` ended with code {process.returncode}: {output.decode().strip()}"
        raise AnswerError(msg)

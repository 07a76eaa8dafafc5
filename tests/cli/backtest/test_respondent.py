import asyncio
import io
import os
import pty
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from trimtab.cli.backtest import respondent
from trimtab.cli.backtest.respondent import AnswerError, CommandRespondent, TerminalRespondent
from trimtab.contracts.incident import IncidentView, Stage

VIEW = IncidentView(
    event_id="event-1",
    model="x",
    correlation_id="event-1",
    stage=Stage.WAITING,
    plan_hash="a" * 64,
    page="what happened",
)


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A terminal's other end; what is written to it is typed."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        yield ours
    os.close(ours)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been run."""
    ran: list[str] = []

    async def run(command: str) -> None:
        ran.append(command)

    monkeypatch.setattr(respondent, "_run_command", run)
    return ran


async def answer() -> str:
    terminal = TerminalRespondent(Console(file=io.StringIO()))
    return await terminal.respond(VIEW, workflow_id="drift-response/x/1", address="127.0.0.1:7233")


@pytest.mark.parametrize(
    ("typed", "answer_text", "sent"),
    [
        ("approve\n", "approve was sent", '"decision": "approve"'),
        ("r\n", "reject was sent", '"decision": "reject"'),
        ("perhaps\nREJECT\n", "reject was sent", '"decision": "reject"'),
        ("\n", "waiting for a signal", None),
        ("wait\n", "waiting for a signal", None),
        ("\x04", "waiting for a signal", None),
    ],
)
async def test_what_is_typed_is_sent(
    typed: str, answer_text: str, sent: str | None, keyboard: int, commands: list[str]
) -> None:
    os.write(keyboard, typed.encode())

    assert await answer() == answer_text
    assert len(commands) == (sent is not None)
    assert all(sent is not None and sent in command for command in commands)


async def test_a_question_can_be_withdrawn_while_no_one_types(
    keyboard: int, commands: list[str]
) -> None:
    asking = asyncio.ensure_future(answer())
    await asyncio.sleep(0.05)

    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert commands == []


async def test_an_answer_that_cannot_be_sent_is_reported_with_the_commands_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = tmp_path / "temporal"
    refusing.write_text("#!/bin/sh\necho workflow execution already completed\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    with pytest.raises(AnswerError, match="already completed"):
        await respondent._run_command("temporal workflow signal")


async def ask(command: str) -> str:
    scripted = CommandRespondent(Console(file=io.StringIO()), command)
    return await scripted.respond(VIEW, workflow_id="drift-response/x/1", address="127.0.0.1:7233")


async def test_a_program_answers_the_question_that_it_reads_as_json(
    tmp_path: Path, commands: list[str]
) -> None:
    program = tmp_path / "person.py"
    program.write_text(
        "import json, sys\n"
        "question = json.load(sys.stdin)\n"
        "print('approve' if question['model'] == 'x' else 'reject')\n"
    )

    answered = await ask(f"{sys.executable} {program}")

    assert answered == "approve was answered by the command"
    assert '"decision": "approve"' in commands[0]


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("no-such-program-anywhere", "cannot be started"),
        (f"{sys.executable} -c 'print(\"perhaps\")'", "'perhaps'"),
        (f"{sys.executable} -c 'import sys; sys.exit(\"broken\")'", "code 1: broken"),
        ("", "is empty"),
    ],
)
async def test_a_program_without_an_answer_is_named_with_its_fault(
    command: str, fault: str, commands: list[str]
) -> None:
    with pytest.raises(AnswerError, match=fault):
        await ask(command)

    assert commands == []

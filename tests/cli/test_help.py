"""Help as a newcomer reads it, whatever the width of the terminal."""

import itertools

import pytest
from typer.testing import CliRunner

from trimtab.cli.app import app

COMMANDS = (
    "demo", "backtest", "compare", "init", "doctor", "train", "up", "monitor", "schedule",
    "incidents", "show", "approve", "reject", "approvers new",
    "audit verify", "audit show", "events import", "events dead", "events retry",
    "knowledge add", "knowledge search", "knowledge verify",
)  # fmt: skip


def print_help(*arguments: str, width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_paragraphs_fill_the_terminal(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = print_help(*command.split(), "--help", width=1000, monkeypatch=monkeypatch)

    prose = said.partition("╭")[0].strip().splitlines()[1:]
    for line, after in itertools.pairwise(prose):
        assert not (line.strip() and after.strip()), "a paragraph is more than one line"


def test_the_program_says_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert print_help("--version", width=80, monkeypatch=monkeypatch).startswith("trimtab 0.")

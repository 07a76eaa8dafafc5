"""What the documents say can be typed can be typed, and what they link to is there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.architecture.sources import ROOT
from trimtab.cli.app import app

DOCUMENTS = (
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
ADRS = sorted((ROOT / "docs" / "adr").glob("*.md"))
ELLIPSIS = {"…", "..."}

every_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix()
)


def spoken(document: Path) -> Iterator[str]:
    """Every line of a code block, and every piece of code in a sentence."""
    text = document.read_text()
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for block in blocks:
        yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`([^`\n]+)`", prose(document))


def prose(document: Path) -> str:
    """The document without its code blocks."""
    return re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)


def words_of(command: str) -> list[str]:
    try:
        return shlex.split(command, comments=True)
    except ValueError:
        return command.split()


def commands(document: Path, program: str) -> Iterator[list[str]]:
    """The arguments of each call of a program that the document shows."""
    for line in spoken(document):
        plain = re.sub(r"^(\$ |bin/|[A-Z_]+=\S+ )*", "", line.strip())
        if plain == program or plain.startswith(f"{program} "):
            yield words_of(plain)[1:]


def unknown_to_trimtab(arguments: list[str]) -> str:
    """What of a call the command line does not have; empty when it has it all."""
    command: Any = typer.main.get_command(app)
    rest = [word for word in arguments if word not in ELLIPSIS]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        name, *rest = rest
        if name not in command.commands:
            return name
        command = command.commands[name]
    options = {"--help"}
    for parameter in command.params:
        options.update([*parameter.opts, *parameter.secondary_opts])
    unknown = [word for word in rest if re.match(r"--?[a-z]", word)]
    return next((word for word in unknown if word.partition("=")[0] not in options), "")


@every_document
def test_every_make_target_exists(document: Path) -> None:
    named = {word for call in commands(document, "make") for word in call if word.islower()}

    assert {word for word in named if word.isalpha()} - TARGETS == set()


@every_document
def test_every_trimtab_command_exists_with_its_options(document: Path) -> None:
    unknown = [
        f"trimtab {' '.join(call)}: {unknown_to_trimtab(call)}"
        for call in commands(document, "trimtab")
        if unknown_to_trimtab(call)
    ]

    assert unknown == []


@every_document
def test_every_link_within_the_repository_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text())
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]

    assert [link for link in local if not (document.parent / link).exists()] == []


@every_document
def test_prose_has_one_sentence_a_line(document: Path) -> None:
    doubled = [
        line
        for line in prose(document).splitlines()
        if not line.startswith("|") and re.search(r"[a-z)`]\. [A-Z][a-z]+ ", line)
    ]

    assert doubled == []


def test_the_readme_shows_the_two_commands() -> None:
    calls = [call[0] for call in commands(ROOT / "README.md", "make") if call]

    assert {"demo", "test"} <= set(calls)


def test_a_mistake_in_a_document_would_be_noticed() -> None:
    assert unknown_to_trimtab(["demmo"]) == "demmo"
    assert unknown_to_trimtab(["demo", "--yess"]) == "--yess"
    assert unknown_to_trimtab(["demo", "--yes"]) == ""


def test_there_are_twelve_decisions_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in ADRS] == list(range(1, len(ADRS) + 1))
    assert len(ADRS) >= 12


@pytest.mark.parametrize("adr", ADRS, ids=lambda path: path.stem)
def test_a_decision_says_why_and_what_it_costs(adr: Path) -> None:
    headings = re.findall(r"^## (.+)$", adr.read_text(), re.MULTILINE)

    assert headings == ["Context", "Decision", "What we gave up"]

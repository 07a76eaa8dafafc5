"""Workflows, policies and contracts take the time, ids and chance from outside."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import Module, rooms

BANNED = {
    "datetime.date.today": "pass the time in",
    "datetime.datetime.now": "pass the time in; in a workflow: workflow.now()",
    "datetime.datetime.today": "pass the time in; in a workflow: workflow.now()",
    "datetime.datetime.utcnow": "pass the time in; in a workflow: workflow.now()",
    "os.environ": "settings are read in runtime",
    "os.getenv": "settings are read in runtime",
    "os.urandom": "pass the value in",
    "random": "in a workflow: workflow.random()",
    "secrets": "pass the value in",
    "time": "pass the time in; in a workflow: workflow.now() or workflow.sleep()",
    "uuid.uuid1": "derive the id; in a workflow: workflow.uuid4()",
    "uuid.uuid4": "derive the id; in a workflow: workflow.uuid4()",
}


def names_of(tree: ast.Module) -> dict[str, str]:
    """Local name to the dotted name that it was imported from."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        base = dotted(node.value, names)
        return f"{base}.{node.attr}" if base else None
    return None


def breaches(module: Module) -> Iterator[str]:
    """Each use of the clock, chance or the environment, with what to do instead."""
    tree = module.tree
    names = names_of(tree)
    for node in ast.walk(tree):
        used = dotted(node, names) if isinstance(node, ast.Name | ast.Attribute) else None
        for banned, remedy in BANNED.items():
            if used is not None and (used == banned or used.startswith(f"{banned}.")):
                line = getattr(node, "lineno", 0)
                yield f"{module.path.name}:{line}: {used}: {remedy}"


def waits_while_closed(module: Module) -> Iterator[str]:
    """Each place that awaits while Python closes a coroutine that a worker dropped.

    A dropped workflow's coroutines end by GeneratorExit, outside of the event loop: an `await` in
    a `finally` fails there, whenever the garbage collector comes by.
    """
    for node in ast.walk(module.tree):
        handlers = []
        if isinstance(node, ast.Try):
            handlers = [node.finalbody, *(each.body for each in node.handlers if closes(each))]
        for statement in (each for body in handlers for each in body):
            for inner in ast.walk(statement):
                if isinstance(inner, ast.Await):
                    yield f"{module.path.name}:{inner.lineno}: await after GeneratorExit"


def closes(handler: ast.ExceptHandler) -> bool:
    """Return whether an `except` also catches GeneratorExit."""
    if handler.type is None:
        return True
    caught = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    return bool(caught & {"BaseException", "GeneratorExit"})


def test_no_workflow_awaits_while_it_is_closed() -> None:
    assert [place for each in rooms("workflows") for place in waits_while_closed(each)] == []


@pytest.mark.parametrize("clause", ["finally:", "except:", "except BaseException:"])
def test_a_wait_while_closed_is_seen(clause: str) -> None:
    text = f"async def run():\n try:\n  await a()\n {clause}\n  await b()\n"

    assert len(list(waits_while_closed(Module(path=Path("sample.py"), text=text)))) == 1


def test_a_wait_after_an_error_is_allowed() -> None:
    text = "async def run():\n try:\n  await a()\n except Exception:\n  await b()\n"

    assert not list(waits_while_closed(Module(path=Path("sample.py"), text=text)))


def test_the_clock_chance_and_the_environment_stay_outside() -> None:
    deterministic = rooms("workflows", "policies", "contracts")

    assert [breach for module in deterministic for breach in breaches(module)] == []


@pytest.mark.parametrize(
    "line",
    [
        "import uuid\nuuid.uuid4()",
        "from uuid import uuid4\nuuid4()",
        "import datetime as dt\ndt.datetime.now()",
        "from datetime import datetime\ndatetime.now(tz)",
        "import time\ntime.monotonic()",
        "import random\nrandom.choice([1])",
        "from os import environ\nenviron['A']",
    ],
)
def test_a_banned_call_is_seen_however_it_was_imported(line: str) -> None:
    assert list(breaches(Module(path=Path("sample.py"), text=line)))


@pytest.mark.parametrize(
    "line",
    [
        "from datetime import datetime, time\ndatetime.fromtimestamp(0)\ntime(hour=1)",
        "from temporalio import workflow\nworkflow.now()\nworkflow.uuid4()",
    ],
)
def test_what_is_deterministic_is_allowed(line: str) -> None:
    assert not list(breaches(Module(path=Path("sample.py"), text=line)))

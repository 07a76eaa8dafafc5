"""The command line starts at once: what a command needs is loaded when it is called."""

import ast
import json
import os
import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT, Module, modules

HEAVY = (
    "mlflow", "chromadb", "pandas", "kedro", "google.adk", "ibis", "sklearn", "temporalio",
    "asyncio",
)  # fmt: skip
LOADED = """
import json, sys
from trimtab.cli.app import main
sys.argv = ["trimtab", *sys.argv[1:]]
try:
    main()
except SystemExit as done:
    assert not done.code, done.code
print("\\n" + json.dumps(list(sys.modules)))
"""


def run(*arguments: str, **environment: str) -> tuple[str, list[str]]:
    """What the command line prints, and the heavy modules that it has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=60,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed, loaded = done.stdout.rstrip().rsplit("\n", 1)
    return printed, [name for name in HEAVY if name in json.loads(loaded)]


def commands() -> list[Module]:
    return [
        module
        for module in modules()
        if module.name.startswith("trimtab.cli.") and module.name.endswith(".command")
    ]


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("monitor", "--help")])
def test_help_is_there_at_once_because_nothing_heavy_is_loaded_for_it(
    arguments: tuple[str, ...],
) -> None:
    printed, heavy = run(*arguments)

    assert "trimtab" in printed
    assert heavy == []


def test_a_shell_completes_commands_at_once() -> None:
    printed, heavy = run(
        _TRIMTAB_COMPLETE="complete_bash", COMP_WORDS="trimtab mon", COMP_CWORD="1"
    )

    assert printed.split() == ["monitor"]
    assert heavy == []


@pytest.mark.parametrize("module", commands(), ids=lambda module: module.name)
def test_a_command_imports_only_what_it_runs_when_it_is_called(module: Module) -> None:
    package = module.name.removesuffix("command")

    lazy = [
        node.module or ""
        for function in ast.walk(module.tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom)
    ]

    assert lazy
    assert [name for name in lazy if not name.startswith(package)] == []

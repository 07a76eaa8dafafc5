from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tests.architecture.sources import ROOT
from trimtab.cli import application
from trimtab.cli.app import app
from trimtab.cli.application import find_missing_application

COMMANDS = (
    ("demo",), ("up",), ("backtest", "prices"), ("doctor",), ("monitor",), ("schedule",),
    ("train", "prices"), ("audit", "verify"), ("audit", "show", "x"), ("events", "dead"),
    ("events", "retry", "1-0"), ("freeze",), ("thaw",), ("incidents",), ("show", "x"),
    ("approve", "x"), ("reject", "x"), ("policy", "check"), ("approvers", "new", "ada"),
    ("init", "prices", "--data", "no_such_file.csv"), ("notify",),
    ("knowledge", "add", "a.md"), ("knowledge", "search", "x"), ("knowledge", "verify"),
    ("evals", "run"), ("evals", "calibrate"),
)  # fmt: skip


def test_nothing_is_missing_in_the_checkout_and_its_environment() -> None:
    assert find_missing_application(ROOT) == ""


def test_a_folder_that_is_no_checkout_is_answered_with_where_the_application_is(
    tmp_path: Path,
) -> None:
    (tmp_path / "worker.py").touch()  # a stranger's, beside the installed library

    assert find_missing_application(tmp_path) == (
        "This command needs the application, which is the source checkout of Trimtab:"
        " run `make demo` in it."
    )


def test_a_checkout_without_its_packages_is_answered_with_how_to_install_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(application, "_PACKAGES", ("temporalio", "no_such_package"))

    assert find_missing_application(ROOT) == (
        "This command needs the application's packages (no_such_package not installed):"
        f" run `make -C {ROOT} environment`."
    )


@pytest.fixture
def without_application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "SHIPPED", tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("without_application")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_command_of_the_application_says_how_to_get_it(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, command)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == find_missing_application(Path.cwd()) + "\n"


@pytest.mark.usefixtures("without_application")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_its_help_needs_no_application(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])

    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_every_command_but_compare_is_listed_here() -> None:
    group: Any = typer.main.get_command(app)

    assert set(group.commands) - {"compare"} == {command[0] for command in COMMANDS}

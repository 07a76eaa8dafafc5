import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from trimtab.runtime import paths
from trimtab.runtime.paths import (
    LAUNCHER_VARIABLE,
    add_command,
    command_prefix,
    install_command,
    temporal_command,
)

MakeProgram = Callable[[str], Path]


@pytest.fixture
def make_program(tmp_path: Path) -> MakeProgram:
    """Make an executable file at a path below the temporary folder."""

    def make(name: str) -> Path:
        program = tmp_path / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        return program

    return make


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with its environment, of which nothing is on the PATH yet."""
    root = tmp_path / "check out"
    for name in ("bin/trimtab", "bin/temporal", ".venv/bin/trimtab", ".venv/bin/temporal"):
        make_program(f"check out/{name}")
    monkeypatch.setattr(paths, "SHIPPED", root)
    monkeypatch.setattr(sys, "executable", str(root / ".venv" / "bin" / "python"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv(LAUNCHER_VARIABLE, raising=False)
    return root


def test_a_command_is_printed_as_the_launcher_was_called(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout)
    monkeypatch.setenv(LAUNCHER_VARIABLE, "bin/trimtab")

    assert command_prefix() == "bin/trimtab"


def test_a_path_with_a_space_is_quoted(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LAUNCHER_VARIABLE, f"{checkout}/bin/trimtab")

    assert command_prefix() == f"'{checkout}/bin/trimtab'"


def test_a_relative_launcher_gets_its_full_path_in_another_folder(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(LAUNCHER_VARIABLE, "bin/trimtab")

    assert command_prefix() == f"'{checkout}/bin/trimtab'"


@pytest.mark.parametrize("folder", ["bin", ".venv/bin"])
def test_what_the_path_leads_to_is_typed_by_its_name(
    folder: str, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{checkout / folder}:/usr/bin")

    assert (command_prefix(), temporal_command()) == ("trimtab", "temporal")


def test_a_link_on_the_path_is_typed_by_its_name(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "trimtab").symlink_to(checkout / "bin" / "trimtab")
    monkeypatch.setenv("PATH", str(tmp_path / "links"))
    monkeypatch.setenv(LAUNCHER_VARIABLE, str(tmp_path / "links" / "trimtab"))

    assert command_prefix() == "trimtab"


def test_the_program_of_another_environment_on_the_path_is_not_ours(
    checkout: Path, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_program("other/trimtab").parent
    make_program("other/temporal")
    monkeypatch.setenv("PATH", str(other))

    assert command_prefix() == f"'{checkout}/.venv/bin/trimtab'"
    assert temporal_command() == f"'{checkout}/.venv/bin/temporal'"


def test_an_environment_without_programs_leaves_them_to_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    assert (command_prefix(), temporal_command()) == ("trimtab", "temporal")


def test_the_command_that_installs_works_from_any_folder(checkout: Path) -> None:
    assert install_command() == f"make -C '{checkout}' environment"


def test_packages_are_added_by_a_command_that_the_shell_of_make_reads_rightly(
    checkout: Path,
) -> None:
    checkout.mkdir(exist_ok=True)
    (checkout / "Makefile").write_text("add:\n\t@printf '%s\\n' $(PACKAGES)\n")
    command = add_command(["xgboost>=3.1", "nosuchboost==3.1.0"])

    done = subprocess.run(
        ["sh", "-c", command],  # noqa: S607 - the system's own
        check=True,
        capture_output=True,
        text=True,
    )

    assert "xgboost>=3.1\nnosuchboost==3.1.0\n" in done.stdout
    assert not [each for each in checkout.iterdir() if each.name.startswith("=")]

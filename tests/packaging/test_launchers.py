"""The launchers in bin/, in a copy of the checkout whose programs say how they were called."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from trimtab.runtime.paths import LAUNCHER_VARIABLE

PROGRAMS = ("temporal", "trimtab")
REPORT = f"""#!/bin/sh
echo "$0"
echo "${LAUNCHER_VARIABLE}"
pwd -P
for argument in "$@"; do echo "<$argument>"; done
exit 3
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the launchers, and an environment of programs that report and exit with 3."""
    root = tmp_path / "a check out"
    shutil.copytree(ROOT / "bin", root / "bin")
    (root / ".venv" / "bin").mkdir(parents=True)
    for name in PROGRAMS:
        program = root / ".venv" / "bin" / name
        program.write_text(REPORT)
        program.chmod(0o755)
    return root


def run(*command: str, cwd: Path, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd, env={"PATH": path}, check=False, capture_output=True, text=True, timeout=30,
    )  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_launcher_runs_the_program_of_its_name_with_all_arguments(
    name: str, checkout: Path
) -> None:
    done = run(f"bin/{name}", "a b", "", "--c", cwd=checkout)

    assert done.returncode == 3, done.stderr
    assert done.stdout.splitlines() == [
        f"{checkout}/.venv/bin/{name}", f"bin/{name}", str(checkout), "<a b>", "<>", "<--c>",
    ]  # fmt: skip


def test_it_works_by_its_path_from_any_folder_and_stays_in_that_folder(
    checkout: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    absolute = run(f"{checkout}/bin/trimtab", cwd=elsewhere)
    relative = run("../a check out/bin/trimtab", cwd=elsewhere)

    program = f"{checkout}/.venv/bin/trimtab"
    assert absolute.stdout.splitlines() == [
        program, f"{checkout}/bin/trimtab", str(elsewhere),
    ]  # fmt: skip
    assert relative.stdout.splitlines() == [
        program, "../a check out/bin/trimtab", str(elsewhere),
    ]  # fmt: skip


def test_it_is_found_on_the_path_and_through_links(checkout: Path, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / "first").symlink_to("../a check out/bin/trimtab")
    (links / "tt").symlink_to(links / "first")

    found = run("trimtab", cwd=tmp_path, path=f"{checkout}/bin:/usr/bin:/bin")
    linked = run("tt", cwd=tmp_path, path=f"{links}:/usr/bin:/bin")

    program = f"{checkout}/.venv/bin/trimtab"
    assert found.stdout.splitlines()[:2] == [program, f"{checkout}/bin/trimtab"]
    assert linked.stdout.splitlines()[:2] == [program, f"{links}/tt"]


def test_without_an_environment_it_says_in_one_line_what_to_run(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")

    done = run("bin/trimtab", "demo", cwd=checkout)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"bin/trimtab: {checkout}/.venv/bin/trimtab does not exist:"
        f' run `make -C "{checkout}" environment` to install it.\n'
    )


def test_both_launchers_are_the_same_executable_script() -> None:
    texts = {(ROOT / "bin" / name).read_text() for name in PROGRAMS}

    assert len(texts) == 1
    assert all(os.access(ROOT / "bin" / name, os.X_OK) for name in PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_found_through_links_to_folders(name: str, checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "bin").symlink_to(checkout / "bin")
    (checkout / "tools").mkdir()
    (checkout / "tools" / name).symlink_to(f"../bin/{name}")
    (tmp_path / "deep" / "tools").symlink_to(checkout / "tools")

    for folder in ("bin", "tools"):
        done = run(f"deep/{folder}/{name}", cwd=tmp_path)

        assert done.returncode == 3, done.stderr
        assert done.stdout.splitlines()[0] == f"{checkout}/.venv/bin/{name}"

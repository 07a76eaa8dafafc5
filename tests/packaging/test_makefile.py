import re
import subprocess

import pytest

from tests.architecture.sources import ROOT

TEXT = (ROOT / "Makefile").read_text()
(PHONY,) = re.findall(r"^\.PHONY: (.+)$", TEXT, re.MULTILINE)


def make(*arguments: str) -> str:
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments],  # noqa: S607 - whichever a newcomer has
        cwd=ROOT, check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.stdout


def test_help_lists_every_target_with_what_it_does() -> None:
    shown = dict(re.findall(r"^  make (\S+) +(\S.+)$", make("help"), re.MULTILINE))

    assert set(shown) == set(PHONY.split())


@pytest.mark.parametrize("target", ["demo", "up", "environment"])
def test_users_do_not_get_the_developers_tools(target: str) -> None:
    synced = re.findall(r"\S*uv sync .*?(?= --check|;|$)", make("--dry-run", target))

    assert synced
    assert all("--no-dev" in command for command in synced)


@pytest.mark.parametrize("target", ["test", "lint"])
def test_developers_get_exactly_what_the_tests_need(target: str) -> None:
    synced = re.findall(r"\S*uv sync .*?(?= --check|;|$)", make("--dry-run", target))

    assert synced
    assert all("--no-dev" not in command for command in synced)
    assert all("--inexact" not in command for command in synced)
    assert all("--group engines" in command for command in synced)


def test_an_installation_shows_how_far_it_is() -> None:
    (installs,) = re.findall(r"^\t\s+(\$\(UV\) sync.*)$", TEXT, re.MULTILINE)

    assert "--quiet" not in installs


@pytest.mark.parametrize("target", ["demo", "up"])
def test_a_command_is_run_as_a_person_types_it(target: str) -> None:
    assert f"bin/trimtab {target} --yes" in make("--dry-run", target, "ARGS=--yes")

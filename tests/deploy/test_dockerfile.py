import fnmatch
import json
import re
import tomllib

import pytest

from tests.architecture.sources import APPLICATION, FRONT_DOORS, LIBRARY, ROOT

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
IGNORED = [
    line
    for line in (ROOT / ".dockerignore").read_text().splitlines()
    if line and not line.startswith("#")
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NEEDED = [
    LIBRARY,
    *APPLICATION,
    *(f"{door}.py" for door in FRONT_DOORS),
    "conf",
    "knowledge",
    "data",
]


def reaches_the_image(path: str) -> bool:
    return not any(fnmatch.fnmatch(path, pattern) for pattern in IGNORED)


def copied_from_the_repository() -> list[str]:
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1] if not source.startswith("--")]


@pytest.mark.parametrize("source", copied_from_the_repository())
def test_what_is_copied_is_there(source: str) -> None:
    assert (ROOT / source).exists()
    assert source == "." or reaches_the_image(source)


@pytest.mark.parametrize("path", NEEDED)
def test_what_the_code_reads_at_run_time_reaches_the_image(path: str) -> None:
    assert (ROOT / path).exists()
    assert reaches_the_image(path)


@pytest.mark.parametrize("path", [".git", ".venv", ".trimtab", "conf/local/models", "tests"])
def test_what_is_local_or_private_does_not(path: str) -> None:
    assert not reaches_the_image(path)


def test_what_the_image_runs_is_there() -> None:
    (command,) = re.findall(r"^CMD (.+)$", DOCKERFILE, re.MULTILINE)
    program, script = json.loads(command)

    assert program == "python"
    assert (ROOT / script).is_file()


def test_the_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE) == ["trimtab"]


def test_both_stages_have_the_same_python_and_the_project_takes_it() -> None:
    versions = set(re.findall(r"^FROM python:3\.(\d+)-slim", DOCKERFILE, re.MULTILINE))

    (minor,) = (int(version) for version in versions)
    low, high = re.findall(r"3\.(\d+)", PROJECT["project"]["requires-python"])
    assert int(low) <= minor < int(high)


def test_the_uv_is_the_one_of_the_makefile() -> None:
    (wanted,) = re.findall(r"^UV_VERSION := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert f"uv=={wanted}" in DOCKERFILE


def test_the_groups_that_are_installed_exist_and_leave_out_the_developers_tools() -> None:
    syncs = re.findall(r"^RUN uv sync (.+)$", DOCKERFILE, re.MULTILINE)
    groups = {group for sync in syncs for group in re.findall(r"--group (\S+)", sync)}

    assert syncs
    assert all("--no-dev" in sync.split() for sync in syncs)
    assert "application" in PROJECT["tool"]["uv"]["default-groups"]
    assert groups <= set(PROJECT["dependency-groups"])

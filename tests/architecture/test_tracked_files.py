import re
from pathlib import Path

import pytest

from tests.architecture.sources import GENERATED, ROOT, tracked_files

# In parts, so that this file does not name them itself.
HOSTS = (
    "pypi" + r"\.org", "python" + r"hosted\.org", "registry" + r"\.npmjs", "proxy" + r"\.golang",
    "sum" + r"\.golang", "deb" + r"\.debian", "index" + r"\.crates",
)  # fmt: skip
FOLDERS = ("work", "root", "home" + r"/\w+", "Users" + r"/\w+")
FOREIGN = re.compile("|".join(HOSTS) + r"|(?<![\w.}>\])-])/(?:" + "|".join(FOLDERS) + r")/")
LARGEST = 2_000_000


def text_of(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("sample", ["pip from https://pypi" + ".org", "cat /" + "work/main/x"])
def test_a_foreign_name_is_seen(sample: str) -> None:
    assert FOREIGN.search(sample)


def test_no_file_names_a_package_registry_or_a_folder_of_somebodys_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked_files()
        if path.name not in GENERATED
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if FOREIGN.search(line)
    ]

    assert found == []


def test_no_file_is_too_large_to_clone_gladly() -> None:
    assert [path for path in tracked_files() if path.stat().st_size > LARGEST] == []


def test_every_folder_of_tests_is_a_package_so_that_pytest_does_not_shadow_the_rooms() -> None:
    folders = {path.parent for path in tracked_files() if path.is_relative_to(ROOT / "tests")}
    with_code = {folder for folder in folders if any(folder.glob("*.py"))}

    assert [folder for folder in with_code if not (folder / "__init__.py").is_file()] == []

"""Every path, module, identifier and setting that a document names exists in the repository."""

import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tests.architecture.sources import APPLICATION, FRONT_DOORS, LIBRARY, ROOT, tracked_files
from tests.architecture.test_documents import ADRS, DOCUMENTS, prose
from trimtab.contracts import tags
from trimtab.runtime.settings import Settings

NAMING = (
    *DOCUMENTS,
    *(ROOT / folder / "README.md" for folder in ("data", "knowledge")),
    ROOT / "benchmarks" / "RESULTS.md",
)
CONFIGURATION = (
    *sorted((ROOT / "conf" / "base").rglob("*.yml")),
    ROOT / "deploy" / "env.example",
)
ROOMS = {LIBRARY, *APPLICATION, *FRONT_DOORS, "tests"}
TAGS = {value for name, value in vars(tags).items() if name.endswith("_TAG")}
YOURS = re.compile(r"conf/local\b|trimtab/(incidents|[\w-]+/(training|monitoring|baselines))$")
"""Files of the user, and MLflow experiments, which look like folders of the library."""
every_document = pytest.mark.parametrize(
    "document", NAMING, ids=lambda path: path.relative_to(ROOT).as_posix()
)


def pieces_of_code(document: Path) -> Iterator[str]:
    """Every piece of code in the sentences and tables of a document."""
    yield from re.findall(r"`([^`\n]+)`", prose(document))


@cache
def tracked_paths() -> frozenset[str]:
    """Every tracked file, and every folder of one, relative to the root."""
    files = [path.relative_to(ROOT) for path in tracked_files()]
    folders = {parent for file in files for parent in file.parents}
    return frozenset(path.as_posix() for path in (*files, *folders))


@cache
def words_of_code() -> frozenset[str]:
    """Every word of every tracked file that is neither a document nor this test."""
    documents = {path for path in tracked_files() if path.suffix == ".md"}
    words: set[str] = set()
    for path in set(tracked_files()) - documents - {Path(__file__)}:
        try:
            words.update(re.findall(r"\w+", path.read_text()))
        except UnicodeDecodeError:
            continue
    return frozenset(words)


def missing_paths(document: Path) -> list[str]:
    """Return the paths that are in no commit."""
    first_parts = {path.partition("/")[0] for path in tracked_paths()}
    names = {path.rpartition("/")[2] for path in tracked_paths()}
    missing = []
    for piece in pieces_of_code(document):
        path = piece.rstrip("/")
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", path) or YOURS.match(path):
            continue
        if "/" in path and (path.partition("/")[0] in first_parts or path.endswith(".py")):
            # A document may name a file of its own folder.
            beside = (document.parent / path).exists()
            missing += [] if path in tracked_paths() or beside else [piece]
        elif path.endswith(".py"):
            missing += [] if path in names else [piece]
    return missing


def missing_modules(text: str) -> list[str]:
    """Return the dotted names below a room that cannot be imported."""
    dotted = set(re.findall(r"(?<![\w./-])[a-z_]+(?:\.\w+)+", text))
    ours = {name for name in dotted if name.partition(".")[0] in ROOMS and name not in TAGS}
    return [name for name in sorted(ours) if not name.endswith(".py") and not can_import(name)]


def can_import(name: str) -> bool:
    """Return whether a dotted name is a module, or an attribute of one."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        parent, _, attribute = name.rpartition(".")
        return bool(parent) and can_import(parent) and has_attribute(parent, attribute)
    return True


def has_attribute(parent: str, attribute: str) -> bool:
    """Return whether a module, or a class in one, has an attribute."""
    try:
        found: Any = importlib.import_module(parent)
    except ModuleNotFoundError:
        module, _, name = parent.rpartition(".")
        found = getattr(importlib.import_module(module), name)
    return hasattr(found, attribute)


def missing_identifiers(document: Path) -> list[str]:
    """Return the names in snake_case or CamelCase that occur nowhere in the code."""
    pieces = {piece.partition("(")[0] for piece in pieces_of_code(document)}
    names = [
        piece
        for piece in pieces
        if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+|([A-Z][a-z0-9]+){2,}", piece)
    ]
    return [name for name in sorted(names) if name not in words_of_code()]


def missing_settings(text: str) -> list[str]:
    """Return the environment variables of Trimtab that set nothing."""
    return [
        name
        for name in sorted(set(re.findall(r"\bTRIMTAB_[A-Z_]+[A-Z]\b", text)))
        if name not in words_of_code() and not is_setting(name)
    ]


def is_setting(variable: str) -> bool:
    """Return whether a variable such as `TRIMTAB_REDIS__URL` is a field of the settings."""
    model: type[BaseModel] = Settings
    *sections, field = variable.removeprefix("TRIMTAB_").lower().split("__")
    for section in sections:
        annotation = (
            model.model_fields[section].annotation if section in model.model_fields else None
        )
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return False
        model = annotation
    return field in model.model_fields


@every_document
def test_every_path_in_a_document_exists(document: Path) -> None:
    assert missing_paths(document) == []


@every_document
def test_every_module_in_a_document_can_be_imported(document: Path) -> None:
    assert missing_modules(" ".join(pieces_of_code(document))) == []


@every_document
def test_every_identifier_in_a_document_occurs_in_the_code(document: Path) -> None:
    assert missing_identifiers(document) == []


@every_document
def test_every_setting_in_a_document_exists(document: Path) -> None:
    assert missing_settings(document.read_text()) == []


@pytest.mark.parametrize("file", CONFIGURATION, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_in_a_configuration_can_be_imported(file: Path) -> None:
    assert missing_modules(file.read_text()) == []


@every_document
def test_every_section_that_a_link_names_exists(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", document.read_text())
    local = [(path, section) for path, section in links if "://" not in path]

    assert [
        f"{path}#{section}"
        for path, section in local
        if section not in sections_of(document.parent / path if path else document)
    ] == []


def sections_of(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", prose(document), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_the_architecture_lists_every_decision_by_its_title() -> None:
    listed = (ROOT / "docs" / "architecture.md").read_text()

    for adr in ADRS:
        number, title = re.findall(r"^# (\d+)\. (.+)$", adr.read_text(), flags=re.MULTILINE)[0]
        assert f"{number}. [{title}](adr/{adr.name})" in listed


def test_a_wrong_name_in_a_document_would_be_noticed(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text(
        "`trimtab/contracts/drift.py` defines `trimtab.contracts.drift.DriftEvent`.\n"
        "`trimtab/contracts/drifts.py` defines `trimtab.contracts.drift.DriftEvents`.\n"
        "`NoSuchName`, `no_such_name` and `TRIMTAB_REDIS__URI` do not exist.\n"
        "`DriftEvent`, `compute_psi` and `TRIMTAB_REDIS__URL` do.\n"
    )

    assert missing_paths(document) == ["trimtab/contracts/drifts.py"]
    assert missing_modules(document.read_text()) == ["trimtab.contracts.drift.DriftEvents"]
    assert missing_identifiers(document) == ["NoSuchName", "no_such_name"]
    assert missing_settings(document.read_text()) == ["TRIMTAB_REDIS__URI"]

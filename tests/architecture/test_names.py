"""Public names are verbs with their objects or nouns of the field, each in one module only."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.architecture.sources import Module, modules

BANNED = re.compile(
    r"""
    (ask|asked|asking|told|tell|tells|telling|said|say|says|heed|settle|forgive|mourn|bury|rejoice
    |place|places|look|looks|describe|examine|judge|instant|sample|whole|counted|counting|reading
    |alike|lasting|straying|believed|of|parted|parting|letters|leash|foresee|harm|chance|chances
    |fewest|most|oftenest)
    |of_\w+ | \w+_of
    |(fewest|most|oftenest|left_out|told|asked)_\w+
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Words of a dialect that no search for the field's terms finds: see CONTRIBUTING.md."""
ALLOWED = {
    "LEFT_OUT_TAG",
}
"""Names of public interfaces that match by chance."""
SHARED = {
    "compare": "the command, and the function of the Python interface",
    "app": "each group of commands is a Typer application",
    "create_pipeline": "Kedro asks each pipeline's module for it",
    "log": "each module has its logger",
    "main": "each program has its entry point",
}
"""Public names that several modules may have, each with its reason."""


def list_public_names(module: Module) -> Iterator[tuple[str, int]]:
    """Yield each public function, class and constant of a module, with its line."""
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        else:
            continue
        yield from ((name, node.lineno) for name in names if not name.startswith("_"))


def list_methods(module: Module) -> Iterator[tuple[str, int]]:
    """Yield each method of a module's classes, with its line; properties are nouns."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and not any(
                    ast.unparse(decorator) in {"property", "cached_property"}
                    for decorator in each.decorator_list
                ):
                    yield each.name, each.lineno


def is_banned(name: str) -> bool:
    return name not in ALLOWED and bool(BANNED.fullmatch(name))


def test_no_public_name_is_a_word_of_a_dialect() -> None:
    found = [
        f"{module.name}:{line}: {name}"
        for module in modules()
        for name, line in (*list_public_names(module), *list_methods(module))
        if is_banned(name)
    ]

    assert found == []


def test_no_module_is_named_in_a_dialect() -> None:
    assert [module.name for module in modules() if is_banned(module.path.stem)] == []


def test_a_public_name_lives_in_one_module() -> None:
    homes: dict[str, set[str]] = defaultdict(set)
    for module in modules():
        for name, _ in list_public_names(module):
            homes[name].add(module.name)

    shared = {name: sorted(where) for name, where in homes.items() if len(where) > 1}

    assert {name: where for name, where in shared.items() if name not in SHARED} == {}


@pytest.mark.parametrize("name", ["told", "of_numbers", "value_of", "FEWEST_ROWS", "describe"])
def test_a_banned_name_is_seen(name: str) -> None:
    assert is_banned(name)


@pytest.mark.parametrize("name", ["compute_psi", "describe_model", "MIN_ROWS", "offset", "profile"])
def test_a_plain_name_is_allowed(name: str) -> None:
    assert not is_banned(name)

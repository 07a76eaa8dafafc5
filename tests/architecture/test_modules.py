import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import ROOT, Module, modules, tracked_files

MODULE_LINES = 350
FUNCTION_LINES = 60
VAGUE = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}

DECLARATIONS = (
    ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign,
    ast.AnnAssign,
)  # fmt: skip
REGISTERING = ("app.command(", "app.add_typer(")


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def deeds(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that do something when the module is imported, rather than declare."""
    for node in body:
        if isinstance(node, ast.With):
            # `with workflow.unsafe.imports_passed_through():` parts imports from the sandbox.
            yield from deeds(node.body)
        elif isinstance(node, ast.If):
            guarded = ast.unparse(node.test) in {"__name__ == '__main__'", "TYPE_CHECKING"}
            yield from [] if guarded else deeds([*node.body, *node.orelse])
        elif not (isinstance(node, DECLARATIONS) or _is_docstring(node) or _registers(node)):
            yield node


def _registers(node: ast.stmt) -> bool:
    """`app.command()(init)` is the decorator `@app.command()` of a function of another module."""
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith(REGISTERING)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        module.name
        for module in modules()
        if not ast.get_docstring(module.tree)
        and (module.path.name != "__init__.py" or module.text.strip())
    ]

    assert silent == []


def test_every_module_imports_by_full_names() -> None:
    relative = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert relative == []


def test_every_module_only_declares() -> None:
    done = [
        f"{module.name}:{node.lineno}: {ast.unparse(node)}"
        for module in modules()
        for node in deeds(module.tree.body)
    ]

    assert done == []


def test_every_module_is_short_enough_to_read() -> None:
    lengths = {module.name: len(module.text.splitlines()) for module in modules()}

    assert {name: length for name, length in lengths.items() if length > MODULE_LINES} == {}


def test_every_function_is_short_enough_to_see_at_once() -> None:
    lengths = {
        f"{module.name}.{node.name}": lines(node)
        for module in modules()
        for node in functions(module)
    }

    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES} == {}


def test_no_name_is_vague() -> None:
    names = [path.relative_to(ROOT) for path in tracked_files()]

    vague = [
        str(name)
        for name in names
        if any(set(Path(part).stem.lower().split("_")) & VAGUE for part in name.parts)
    ]

    assert vague == []


def test_importing_everything_leaves_no_thread_file_or_output_behind(tmp_path: Path) -> None:
    names = [module.name for module in modules() if not module.name.endswith("__main__")]
    script = (
        "import importlib, json, signal, sys, threading\n"
        "handlers = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]\n"
        "for name in json.loads(sys.argv[1]): importlib.import_module(name)\n"
        "after = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]\n"
        "assert handlers == after, 'a signal handler was set'\n"
        "own = [t.name for t in threading.enumerate() if t is not threading.main_thread()]\n"
        "assert not own, own\n"
    )

    # Kedro, which is not ours, sets up logging when it is imported; this is how we quiet it.
    quiet = {
        **os.environ,
        "KEDRO_LOGGING_CONFIG": str(ROOT / "trimtab" / "pipelines" / "logging.yml"),
    }

    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(names)],
        cwd=tmp_path, env=quiet, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []

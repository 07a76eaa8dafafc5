import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.sources import FRONT_DOORS, ROOT, Module, modules, rooms

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
HEAVY = ("mlflow", "chromadb", "google.adk", "google.genai", "kedro", "pandas", "redis", "httpx")


def imported(module: Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def loaded_after_importing(names: list[str]) -> set[str]:
    script = (
        "import importlib, json, sys\n"
        "for name in json.loads(sys.argv[1]): importlib.import_module(name)\n"
        "print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(names)],
        cwd=ROOT, check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return set(json.loads(done.stdout))


def test_every_import_contract_holds() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run(
        [lint_imports, "--no-cache", "--no-logo"],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contract_about_determinism_names_every_workflow_but_the_one_with_the_agents() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    (deterministic,) = (each for each in contracts if "deterministic" in each["name"])

    named = {name for name in deterministic["source_modules"] if name.startswith("workflows.")}

    there = {module.name for module in rooms("workflows")} - {"workflows"}
    assert named == there - {"workflows.deliberation"}


def test_onboarding_imports_what_its_contract_leaves() -> None:
    inside = "trimtab.detection."
    used = {
        name.removeprefix(inside).partition(".")[0]
        for module in modules()
        if module.name.startswith(f"{inside}onboarding")
        for name in imported(module)
        if name.startswith(inside)
    }

    assert used == {"calibration", "onboarding", "profiles", "tables"}


def test_the_contract_about_comparing_covers_the_command_too() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    (comparing,) = (each for each in contracts if each["name"].startswith("Comparing tables"))

    assert {"trimtab.cli.compare", "trimtab.comparison"} <= {*comparing["source_modules"]}


def test_nobody_imports_a_front_door() -> None:
    assert [module.name for module in modules() if imported(module) & set(FRONT_DOORS)] == []


def test_the_deliberation_is_started_by_name_so_that_its_parent_stays_free_of_adk() -> None:
    (parent,) = (module for module in modules() if module.name == "workflows.drift_response")

    assert "workflows.deliberation" not in imported(parent)


@pytest.mark.parametrize("room", ["contracts", "policies", "activities", "workflows"])
def test_importing_a_room_that_workflows_reach_loads_nothing_heavy(room: str) -> None:
    names = [module.name for module in rooms(room) if module.name != "workflows.deliberation"]

    loaded = loaded_after_importing(names)

    assert not [name for name in HEAVY if name in loaded]


def test_importing_contracts_and_policies_does_not_load_temporal() -> None:
    loaded = loaded_after_importing([module.name for module in rooms("contracts", "policies")])

    assert "temporalio" not in loaded

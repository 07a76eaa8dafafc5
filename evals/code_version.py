"""Digests of what a result depends on: the code that played, and the rules that judged."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from trimtab.contracts.base import Record
from trimtab.runtime.paths import SHIPPED

_PLAYED: Final = (
    "activities", "agents", "policies", "trimtab/contracts", "trimtab/detection",
    "trimtab/pipelines", "evals/injections", "evals/play", "evals/tables",
)  # fmt: skip
_SUFFIXES: Final = frozenset({".py", ".md", ".json", ".yml", ".yaml"})


class RulesVersion(Record):
    """Digests of what decides how an incident is judged."""

    instructions: str
    """Of the agents' instructions."""
    rules: str
    """Of the rule table and what reads it."""
    calibration: str
    """Of the file that the confidence is calibrated by."""


@cache
def compute_code_version() -> str:
    """Return the digest of the code that incidents are played by."""
    files = [path for folder in _PLAYED for path in (SHIPPED / folder).rglob("*")]
    return _digest(path for path in files if path.suffix in _SUFFIXES)[:16]


@cache
def compute_rules_version() -> RulesVersion:
    """Return the digests of instructions, rule table and calibration."""
    agents, policies = SHIPPED / "agents", SHIPPED / "policies"
    rules = (path for path in (policies / "judgement").rglob("*") if path.suffix in _SUFFIXES)
    calibration = (SHIPPED / "conf" / "base" / "calibration.yml",)
    return RulesVersion(
        instructions=_digest([*agents.rglob("instruction.md"), agents / "house_rules.md"]),
        rules=_digest(rules),
        calibration=_digest(calibration),
    )


def _digest(paths: Iterable[Path]) -> str:
    """Return the digest of files, by name and content."""
    total = hashlib.sha256()
    for path in sorted(paths):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(SHIPPED).as_posix()}:{content}\n".encode())
    return total.hexdigest()

"""Runs `trimtab policy check`: every fault of the policy at once, or its values."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from policies.blackout import explain_blackout
from trimtab.cli.console import print_unbroken, print_wrapped
from trimtab.cli.errors import ExitCode
from trimtab.cli.policy.surroundings import (
    WHERE_PARTS_MATTER,
    find_incomplete_targets,
    find_unknown_models,
)
from trimtab.contracts.decision import Limits
from trimtab.files.yaml_text import format_yaml
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import compute_policy_hash, load_limits


def run_check(policy: Path | None, *, as_json: bool) -> ExitCode:
    """Print the values in force, with warnings about this machine.

    Raises `BadConfigurationError` with every fault there is, models that do not exist included.
    """
    limits = load_limits(policy)
    if faults := list(find_unknown_models(limits)):
        raise BadConfigurationError(faults)
    warnings = list(find_incomplete_targets(limits))
    values, policy_hash = _summarise(limits), compute_policy_hash(limits)
    blackout = explain_blackout(limits, datetime.now(UTC))
    if as_json:
        found = {"hash": policy_hash, "blackout": blackout, "warnings": warnings, "values": values}
        typer.echo(json.dumps(found))
        return ExitCode.OK
    console = Console()
    for line in format_yaml(values).splitlines():
        print_unbroken(console, line)
    console.print()
    print_unbroken(console, f"No fault. Hash: {policy_hash}", style="green")
    for warning in warnings:
        print_wrapped(console, f"Warning: {warning}", style="yellow")
    if warnings:
        print_wrapped(console, f"→ {WHERE_PARTS_MATTER}", indent="  ")
    if limits.shadow or limits.shadow_models:
        names = "every model" if limits.shadow else ", ".join(limits.shadow_models)
        print_wrapped(console, f"Shadow mode: nothing is executed for {names}.", style="yellow")
    if blackout is not None:
        print_wrapped(console, f"Nothing executes now: {blackout}.", style="yellow")
    return ExitCode.OK


def _summarise(limits: Limits) -> dict[str, Any]:
    """Return the values as the file has them; of a calendar its name and its length."""
    values: dict[str, Any] = limits.model_dump(mode="json", exclude={"calendars"})
    calendars = [{"name": each.name, "characters": len(each.content)} for each in limits.calendars]
    return {**values, "calendars": calendars}

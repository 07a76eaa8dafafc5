"""Runs `trimtab audit verify`: prints the state of every chain."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trimtab.cli.audit.audit_verification import LogVerification, verify_deployment
from trimtab.cli.console import print_unbroken, print_wrapped
from trimtab.cli.errors import ExitCode
from trimtab.contracts.audit import ChainStatus
from trimtab.contracts.ports import Refused
from trimtab.runtime.settings import load_settings

_MIN_TABLE_WIDTH: Final = 110
"""Columns of the terminal from which incidents are shown in a table."""


def run_verify(
    *, incident: str | None, as_json: bool, allow_empty: bool, home: Path | None
) -> ExitCode:
    """Verify the log, print the result, and return the exit code."""
    found = verify_deployment(load_settings(**({} if home is None else {"home": home})))
    if incident is not None:
        found = found.select_incident(incident)
        if not found.statuses:
            msg = f"no incident {incident!r} in {found.folder}, nor in the registry"
            raise Refused(msg)
    if as_json:
        typer.echo(_to_json(found))
    else:
        _print_verification(found, Console())
    if not found.statuses and not allow_empty:
        return ExitCode.NOTHING_TO_JUDGE
    return ExitCode.OK if found.valid else ExitCode.FAILED


def _to_json(found: LogVerification) -> str:
    return json.dumps(
        {
            "valid": found.valid,
            "empty": not found.statuses,
            "folder": str(found.folder),
            "compared_with": found.compared_with,
            "incidents": [status.model_dump(mode="json") for status in found.statuses],
        },
        indent=2,
    )


def _print_verification(found: LogVerification, console: Console) -> None:
    if not found.statuses:
        print_unbroken(console, f"The audit log {found.folder} is empty: nothing to verify.")
        console.print("Name another deployment's folder with --home.")
    else:
        _print_statuses(found.statuses, console)
        broken = sum(not status.valid for status in found.statuses)
        entries = sum(status.entries for status in found.statuses)
        count = f"incidents: {len(found.statuses)}, entries: {entries}"
        console.print(
            f"[red]{count}, not valid: {broken}.[/]"
            if broken
            else f"[green]{count}, all as they were written.[/]"
        )
    _print_comparison(found, console)


def _print_comparison(found: LogVerification, console: Console) -> None:
    """Print what the log was compared with: by itself it cannot show a missing end."""
    if found.compared_with is None:
        warning = "No model registry to compare with: deleted or truncated files cannot be found."
        console.print(Text(warning, style="yellow"))
        return
    print_unbroken(console, f"Compared with the incidents recorded in {found.compared_with}.")
    alone = sum(not status.compared for status in found.statuses)
    if alone:
        console.print(
            f"{alone} not recorded there, perhaps still open: a truncated end of"
            f" {'its chain' if alone == 1 else 'their chains'} cannot be found.",
            highlight=False,
        )


def _print_statuses(statuses: Sequence[ChainStatus], console: Console) -> None:
    """Print a table; on a narrow terminal a line for each, so that no id is broken."""
    if console.width >= _MIN_TABLE_WIDTH:
        console.print(_build_table(statuses))
        return
    for status in statuses:
        state = "closed" if status.closed else "open"
        compared = "compared" if status.compared else "not compared"
        line = f"{status.incident} ({status.model}, {status.entries} entries, {state}, {compared}):"
        verdict = "valid" if status.valid else status.fault
        print_wrapped(console, f"{line} {verdict}", style="" if status.valid else "red")


def _build_table(statuses: Sequence[ChainStatus]) -> Table:
    table = Table()
    for heading in ("incident", "model", "entries", "state", "compared", "verdict"):
        table.add_column(heading, overflow="fold")
    for status in statuses:
        table.add_row(
            Text(status.incident),
            Text(status.model),
            str(status.entries),
            "closed" if status.closed else "open",
            "yes" if status.compared else "no",
            Text("valid", "green") if status.valid else Text(status.fault, "red"),
        )
    return table

"""Runs `trimtab audit verify` and `reconcile`: prints what is wrong with the log, and where."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trimtab.cli.audit.audit_verification import LogVerification, verify_deployment
from trimtab.cli.console import print_unbroken, print_wrapped
from trimtab.cli.errors import ExitCode, replace_control_characters
from trimtab.contracts.audit import ChainStatus
from trimtab.contracts.ports import Refused
from trimtab.runtime.settings import load_settings

_MIN_TABLE_WIDTH: Final = 110
"""Columns of the terminal from which incidents are shown in a table."""


@dataclass(frozen=True)
class VerifyOptions:
    """What is verified, and how the result is shown."""

    incident: str | None = None
    as_json: bool = False
    allow_empty: bool = False
    home: Path | None = None
    chains: bool = True
    """Whether the state of every chain is shown, and not only what disagrees."""


def run_verify(options: VerifyOptions) -> ExitCode:
    """Verify the log, print the result, and return the exit code."""
    home = options.home
    found = verify_deployment(load_settings(**({} if home is None else {"home": home})))
    if options.incident is not None:
        found = found.select_incident(options.incident)
        if not found.statuses:
            msg = f"no incident {options.incident!r} in {found.folder}, nor in the registry"
            raise Refused(msg)
    if options.as_json:
        typer.echo(_to_json(found))
    else:
        _print_verification(found, Console(), chains=options.chains)
    if not found.statuses and not found.discrepancies and not options.allow_empty:
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
            "temporal": found.temporal,
            "discrepancies": [each.model_dump(mode="json") for each in found.discrepancies],
        },
        indent=2,
    )


def _print_verification(found: LogVerification, console: Console, *, chains: bool) -> None:
    if not found.statuses and not found.discrepancies:
        print_unbroken(console, f"The audit log {found.folder} is empty: nothing to verify.")
        console.print("Name another deployment's folder with --home.")
    else:
        shown = found.statuses if chains else [each for each in found.statuses if not each.valid]
        if shown:
            _print_statuses(shown, console)
        _print_count(found, console)
    _print_discrepancies(found, console)
    _print_comparison(found, console)


def _print_count(found: LogVerification, console: Console) -> None:
    broken = sum(not status.valid for status in found.statuses)
    entries = sum(status.entries for status in found.statuses)
    count = f"incidents: {len(found.statuses)}, entries: {entries}"
    console.print(
        f"[red]{count}, not valid: {broken}.[/]"
        if broken
        else f"[green]{count}, all as they were written.[/]"
    )


def _print_discrepancies(found: LogVerification, console: Console) -> None:
    for each in found.discrepancies:
        subject = ", ".join(
            filter(None, [each.model, each.incident and f"incident {each.incident}"])
        )
        text = f"{subject}: {each.fault}" if subject else each.fault
        print_wrapped(
            console,
            replace_control_characters(f"{'fault' if each.grave else 'note'}: {text}"),
            style="red" if each.grave else "yellow",
        )


def _print_comparison(found: LogVerification, console: Console) -> None:
    """Print what the log was compared with: by itself it cannot show a missing end."""
    if found.compared_with is None:
        warning = "No model registry to compare with: deleted or truncated files cannot be found."
        console.print(Text(warning, style="yellow"))
        return
    print_unbroken(console, f"Compared with the incidents recorded in {found.compared_with}.")
    if found.temporal is not None:
        print_unbroken(console, f"Compared with the workflows of Temporal at {found.temporal}.")
    elif found.without_temporal:
        print_wrapped(console, f"Not compared with workflows: {found.without_temporal}.")
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
        if not status.valid:
            print_wrapped(
                console, f"{status.incident} ({status.model}): {status.fault}", style="red"
            )
            continue
        state = "closed" if status.closed else "open"
        compared = "compared" if status.compared else "not compared"
        what = f"{status.model}, {status.entries} entries, {state}, {compared}"
        print_wrapped(console, f"{status.incident} ({what}): valid")


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

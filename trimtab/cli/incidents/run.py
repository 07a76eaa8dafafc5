"""Runs `trimtab incidents`: prints incidents as a table or as JSON."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trimtab.adapters.incident_client import IncidentRow, open_incidents
from trimtab.cli.console import open_console, print_command, print_wrapped
from trimtab.cli.errors import ExitCode, replace_control_characters
from trimtab.cli.recorded_end import read_closed_chain
from trimtab.contracts.incident import Stage
from trimtab.runtime.settings import Settings, load_settings


def run_incidents(*, only_open: bool, stuck: bool, model: str | None, as_json: bool) -> ExitCode:
    """Print the incidents, and return the exit code.

    Raises `Unavailable` where Temporal does not answer.
    """
    rows = asyncio.run(_read_rows(load_settings(), only_open=only_open, stuck=stuck, model=model))
    if as_json:
        typer.echo(json.dumps([row.model_dump(mode="json") for row in rows], indent=2))
    else:
        _print_rows(rows, open_console(), stuck=stuck)
    return ExitCode.FAILED if stuck and rows else ExitCode.OK


async def _read_rows(
    settings: Settings, *, only_open: bool, stuck: bool, model: str | None
) -> list[IncidentRow]:
    async with open_incidents(settings) as incidents:
        if not stuck:
            return await incidents.list_rows(only_open=only_open, model=model)
        rows = await incidents.list_stuck(only_open=only_open, model=model)
        return [
            row
            for row in rows
            if row.is_open or not read_closed_chain(settings, row.incident, model=row.model)
        ]


def _print_rows(rows: Sequence[IncidentRow], console: Console, *, stuck: bool) -> None:
    if not rows:
        console.print("No stuck incidents." if stuck else "No incidents.")
        return
    table = Table()
    for heading in ("incident", "model", "opened (UTC)", "state", "severity", "plan"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        plan = f"{row.action}: {row.verdict}" if row.action else ""
        cells = (row.incident, row.model, _format_minute(row.started_at), _format_state(row))
        table.add_row(*(Text(each) for each in (*cells, row.severity, plan)))
    console.print(table)
    for row in rows:
        if row.stuck:
            reason = replace_control_characters(row.stuck)
            print_wrapped(console, f"{row.incident}: {reason}", style="yellow")
    waiting = [row for row in rows if row.is_open and row.stage == Stage.WAITING]
    if waiting:
        console.print("To see what is asked, and how to answer:")
        print_command(console, "show", waiting[0].incident)


def _format_state(row: IncidentRow) -> str:
    """Return what the incident does, or how it ended."""
    if row.is_open:
        return row.stage.replace("_", " ")
    return row.ending or row.status


def _format_minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}"

"""Runs `trimtab show`: prints one incident."""

import asyncio

import typer
from rich.console import Console

from policies.notices import list_outcome_facts
from trimtab.adapters.incident_client import IncidentRow, open_incidents
from trimtab.cli.console import open_console, print_command, print_unbroken, print_wrapped
from trimtab.cli.errors import ExitCode, replace_control_characters
from trimtab.contracts.approval import Answer
from trimtab.contracts.incident import IncidentReport, IncidentView
from trimtab.runtime.settings import Settings, load_settings

_Found = IncidentView | IncidentReport


def run_show_incident(incident: str, *, as_json: bool) -> ExitCode:
    """Print an incident.

    Raises `IncidentNotFoundError`, `Unavailable` where Temporal or its workers do not answer, and
    `Refused` for an incident without a report.
    """
    row, found = asyncio.run(_read(load_settings(), incident))
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return ExitCode.OK
    console = open_console()
    print_unbroken(console, f"{row.model}: incident {row.incident}", style="bold")
    if isinstance(found, IncidentView):
        _print_view(found, row, console)
    else:
        _print_report(found, console)
    return ExitCode.OK


async def _read(settings: Settings, incident: str) -> tuple[IncidentRow, _Found]:
    async with open_incidents(settings) as incidents:
        row = await incidents.find(incident)
        if row.is_open:
            return row, await incidents.read_view(row)
        return row, await incidents.read_report(row)


def _print_view(view: IncidentView, row: IncidentRow, console: Console) -> None:
    stage = view.stage.replace("_", " ")
    print_unbroken(console, f"open since {row.started_at:%Y-%m-%d %H:%M} UTC: {stage}\n")
    _print_answers(view.answers, console)
    if view.page is None:
        return
    for line in replace_control_characters(view.page).splitlines():
        print_unbroken(console, line)


def _print_report(report: IncidentReport, console: Console) -> None:
    print_unbroken(console, f"closed at {report.closed_at:%Y-%m-%d %H:%M} UTC as {report.ending}\n")
    for fact in list_outcome_facts(report):
        print_wrapped(console, replace_control_characters(fact), indent="  ")
    _print_answers(report.answers, console)
    console.print("\nEach step with its time:")
    print_command(console, "audit", "show", report.event_id)


def _print_answers(answers: tuple[Answer, ...], console: Console) -> None:
    for answer in answers:
        what = "an unreadable answer"
        if answer.decision is not None:
            decision = answer.decision
            reason = f" ({decision.reason})" if decision.reason else ""
            what = f"{decision.decision} by {decision.approver}{reason}"
        counted = "counts" if answer.accepted else f"does not count: {answer.note}"
        line = f"{answer.received_at:%Y-%m-%d %H:%M} UTC  {what}: {counted}"
        print_wrapped(console, " ".join(replace_control_characters(line).split()), indent="  ")

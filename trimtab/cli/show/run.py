"""Runs `trimtab show`: prints one incident."""

import asyncio

import typer
from pydantic import ValidationError
from rich.console import Console

from policies.notices import list_outcome_facts
from policies.settlement_page import build_abandoned_report, render_settlement_advice
from trimtab.adapters.incident_client import IncidentRow, open_incidents
from trimtab.cli.console import open_console, print_command, print_unbroken, print_wrapped
from trimtab.cli.errors import ExitCode, replace_control_characters
from trimtab.cli.recorded_end import read_closed_chain
from trimtab.contracts.approval import Answer
from trimtab.contracts.audit import SWEEPER, AuditLine
from trimtab.contracts.incident import IncidentReport, IncidentView
from trimtab.contracts.ports import Refused
from trimtab.contracts.settlement import Settlement
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import Settings, load_settings

_Found = IncidentView | IncidentReport | tuple[AuditLine, ...]
"""The state of an open incident, the report of a closed one, or the chain of an abandoned one."""


def run_show_incident(incident: str, *, as_json: bool) -> ExitCode:
    """Print an incident.

    Raises `IncidentNotFoundError`, `Unavailable` where Temporal or its workers do not answer, and
    `Refused` for an incident without a report.
    """
    row, found = asyncio.run(_read(load_settings(), incident))
    if as_json:
        record = build_abandoned_report(found) if isinstance(found, tuple) else found
        typer.echo(record.model_dump_json(indent=2))
        return ExitCode.OK
    console = open_console()
    print_unbroken(console, f"{row.model}: incident {row.incident}", style="bold")
    if isinstance(found, IncidentView):
        _print_view(found, row, console)
    elif isinstance(found, tuple):
        _print_abandoned(found, console)
    else:
        _print_report(found, console)
    return ExitCode.OK


async def _read(settings: Settings, incident: str) -> tuple[IncidentRow, _Found]:
    async with open_incidents(settings) as incidents:
        row = await incidents.find(incident)
        if row.is_open:
            return row, await incidents.read_view(row)
        try:
            return row, await incidents.read_report(row)
        except Refused as refusal:
            return row, _find_sweepers_chain(settings, row, refusal)


def _find_sweepers_chain(
    settings: Settings, row: IncidentRow, refusal: Refused
) -> tuple[AuditLine, ...]:
    """Return the chain that the sweep has closed; raise `Refused` if it has closed none."""
    lines = read_closed_chain(settings, row.incident, model=row.model)
    if not lines:
        raise refusal
    if lines[-1].entry.actor != SWEEPER:
        steps = format_command("audit", "show", row.incident)
        msg = f"{refusal}; its audit chain is closed: `{steps}` shows how it ended"
        raise Refused(msg) from refusal
    return lines


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


def _print_abandoned(lines: tuple[AuditLine, ...], console: Console) -> None:
    end = lines[-1].entry
    report = build_abandoned_report(lines)
    print_unbroken(
        console, f"closed at {end.at:%Y-%m-%d %H:%M} UTC as {report.ending}, by the {end.actor}\n"
    )
    facts = [f"Failure: {report.failure}."]
    try:
        settlement = Settlement.model_validate(end.detail.get("settlement"))
    except ValidationError:  # a chain that an earlier release closed
        pass
    else:
        facts.append(
            f"Settlement: {settlement.kind}. {render_settlement_advice(end.model, settlement)}"
        )
    for fact in facts:
        print_wrapped(console, replace_control_characters(fact), indent="  ")
    console.print("\nEach step with its time:")
    print_command(console, "audit", "show", end.incident)


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

"""Runs `trimtab policy explain`: every rule's answer of one recorded decision."""

import json
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.cli.audit.audit_verification import get_log_folder, read_log_key
from trimtab.cli.console import print_unbroken, print_wrapped
from trimtab.cli.errors import ExitCode
from trimtab.cli.policy.recorded_decisions import RecordedDecision, find_decision
from trimtab.contracts.decision import Verdict
from trimtab.contracts.ports import Refused
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import load_settings

_COLOURS = {
    Verdict.EXECUTE: "green",
    Verdict.MONITOR: "yellow",
    Verdict.NOTIFY: "magenta",
    Verdict.ESCALATE: "red",
}


def run_explain(incident: str, *, model: str | None, as_json: bool, home: Path | None) -> ExitCode:
    """Print a decision; raise `Refused` where the log holds none of that incident."""
    settings = load_settings(**({} if home is None else {"home": home}))
    folder = get_log_folder(settings)
    lines = JsonlAuditLog(folder, key=read_log_key(settings)).lines(incident, model=model)
    found = find_decision(lines)
    if found is None:
        state = "is not decided yet" if lines else f"is not in {folder}"
        msg = f"incident {incident!r} {state}: `{format_command('audit', 'verify')}` lists all"
        raise Refused(msg)
    if as_json:
        typer.echo(_to_json(found))
    else:
        _print_decision(found, Console())
    return ExitCode.OK


def _to_json(found: RecordedDecision) -> str:
    return json.dumps(
        {
            "incident": found.incident,
            "model": found.model,
            "decision": found.decision.model_dump(mode="json"),
            "question": found.question,
        },
        indent=2,
    )


def _print_decision(found: RecordedDecision, console: Console) -> None:
    decision = found.decision
    print_unbroken(console, f"{found.model}: incident {found.incident}", style="bold")
    plan = (found.question or {}).get("plan")
    if isinstance(plan, dict):
        cost = f"{plan.get('cost')} {plan.get('currency')}"
        print_wrapped(console, f"Plan: {plan.get('action')}, {cost}; cause: {plan.get('cause')}.")
    print_wrapped(
        console, f"Verdict: {decision.verdict} by {decision.rule}: {decision.reason}.", style="bold"
    )
    print_unbroken(
        console,
        f"Decided at {decision.decided_at:%Y-%m-%d %H:%M:%S} UTC under policy"
        f" {decision.policy_hash:.12}.",
    )
    table = Table()
    for heading in ("rule", "allows at most", "reason"):
        table.add_column(heading, overflow="fold")
    for result in decision.results:
        verdict = Text(result.verdict.value, _COLOURS[result.verdict])
        table.add_row(Text(result.rule), verdict, Text(result.reason))
    console.print(table)

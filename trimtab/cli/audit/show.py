"""Runs `trimtab audit show`: prints one incident as a timeline."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from trimtab.adapters.audit.audit_chain import BrokenChainError
from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.audit.log_reading import has_chain_files
from trimtab.cli.audit.audit_verification import get_log_folder, read_log_key
from trimtab.cli.console import print_quotation, print_unbroken
from trimtab.cli.errors import ExitCode
from trimtab.cli.record_format import format_record
from trimtab.contracts.audit import AuditLine
from trimtab.contracts.base import clean_text
from trimtab.contracts.ports import Refused
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import load_settings


def run_show(incident: str, *, model: str | None, home: Path | None) -> ExitCode:
    """Print an incident's entries; of a broken chain those before the fault.

    Raises `Refused` where there is no such incident, or its chain is broken.
    """
    settings = load_settings(**({} if home is None else {"home": home}))
    folder = get_log_folder(settings)
    if not has_chain_files(folder):
        msg = f"the audit log {folder} is empty: --home names another deployment's folder"
        raise Refused(msg)
    console = Console()
    log = JsonlAuditLog(folder, key=read_log_key(settings))
    try:
        lines = log.lines(incident, model=model)
    except Refused as refusal:
        if isinstance(refusal.__cause__, BrokenChainError):
            _print_timeline(refusal.__cause__.sound, console)
        raise
    if not lines:
        verify = format_command("audit", "verify")
        msg = f"no incident {incident!r} in {folder}: `{verify}` lists all"
        raise Refused(msg)
    _print_timeline(lines, console)
    return ExitCode.OK


def _print_timeline(lines: Sequence[AuditLine], console: Console) -> None:
    if lines:
        first = lines[0].entry
        print_unbroken(console, f"{first.model}: incident {first.incident}\n", style="bold")
    for entry in (line.entry for line in lines):
        passed = (entry.at - first.at).total_seconds()
        at = f"{entry.at:%Y-%m-%d %H:%M:%S} UTC {passed:+.1f} s"
        head = Text(f"{entry.sequence:>2}  {at}  ").append(entry.gate.value, "bold cyan")
        console.print(head.append(f"  {clean_text(entry.actor)}"), soft_wrap=True)
        # What a decision was derived from is long: `trimtab policy explain` shows it.
        shown = {name: value for name, value in entry.detail.items() if name != "question"}
        for line in format_record(shown):
            depth = " " * (len(line) - len(line.lstrip()))
            print_quotation(console, line, width=console.width, indent=f"  {depth}")
        console.print()

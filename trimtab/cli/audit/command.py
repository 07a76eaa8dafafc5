"""`trimtab audit`: is the log what was written, and what does it tell of one incident?

Reads files and the model registry; needs no running stack.
"""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.audit.audit_verification import Examination, examine, log_folder, log_key
from trimtab.cli.record_format import told
from trimtab.cli.typer_app import CommandLine

if TYPE_CHECKING:  # importing the registry takes seconds, and `trimtab --help` needs none of it
    from rich.console import Console
    from rich.table import Table

    from trimtab.contracts.audit import AuditLine, ChainStatus

app = CommandLine(
    name="audit",
    no_args_is_help=True,
    help="Verify the audit log, or read one incident in it.",
)

Home = Annotated[
    Path | None,
    typer.Option(
        exists=True, file_okay=False, help="The deployment's folder; .trimtab, or as configured."
    ),
]


@app.command()
def verify(
    incident: Annotated[str | None, typer.Option(help="Only this incident's id.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """Check every chain: exit code 0 when all are as they were written, 1 when not.

    Finds edits, gaps, reorderings and foreign lines by the chain itself; ends and files that are
    gone by comparing with what the model registry recorded when each incident closed.
    """
    from rich.console import Console  # noqa: PLC0415 - see above

    from trimtab.cli.app import faults_told  # noqa: PLC0415 - cli.app imports this module
    from trimtab.contracts.ports import Refused  # noqa: PLC0415 - see above
    from trimtab.runtime.settings import load_settings  # noqa: PLC0415 - see above

    with faults_told():
        found = _only(incident, examine(load_settings(**_flags(home))))
        if incident and not found.statuses:
            msg = f"no incident {incident!r} in {found.folder}, nor in the registry"
            raise Refused(msg)
    if as_json:
        typer.echo(_as_json(found))
    else:
        _print(found, Console())
    if not found.valid:
        raise typer.Exit(1)


@app.command()
def show(
    incident: Annotated[str, typer.Argument(help="The incident's id.")],
    model: Annotated[str | None, typer.Option(help="Where several models have that id.")] = None,
    home: Home = None,
) -> None:
    """Tell one incident from its audit log: when, which gate, who, what."""
    from rich.console import Console  # noqa: PLC0415 - see above

    from trimtab.adapters.audit.audit_chain import BrokenChainError  # noqa: PLC0415 - see above
    from trimtab.adapters.audit.audit_log import JsonlAuditLog  # noqa: PLC0415 - see above
    from trimtab.cli.app import faults_told  # noqa: PLC0415 - cli.app imports this module
    from trimtab.contracts.ports import Refused  # noqa: PLC0415 - see above
    from trimtab.runtime.settings import load_settings  # noqa: PLC0415 - see above

    console = Console()
    with faults_told():
        settings = load_settings(**_flags(home))
        folder = log_folder(settings)
        if not any(folder.rglob("*.jsonl")):
            msg = f"the audit log {folder} is empty: --home names another deployment's folder"
            raise Refused(msg)
        log = JsonlAuditLog(folder, key=log_key(settings))
        try:
            lines = log.lines(incident, model=model)
        except Refused as refusal:
            if isinstance(refusal.__cause__, BrokenChainError):
                _print_timeline(refusal.__cause__.sound, console)
            raise
        if not lines:
            msg = f"no incident {incident!r} in {folder}: `trimtab audit verify` names all"
            raise Refused(msg)
    _print_timeline(lines, console)


def _flags(home: Path | None) -> dict[str, Path]:
    return {} if home is None else {"home": home}


def _only(incident: str | None, found: Examination) -> Examination:
    if incident is None:
        return found
    kept = tuple(status for status in found.statuses if status.incident == incident)
    return Examination(folder=found.folder, statuses=kept, compared_with=found.compared_with)


def _as_json(found: Examination) -> str:
    import json  # noqa: PLC0415 - with the rest of the command

    return json.dumps(
        {
            "valid": found.valid,
            "folder": str(found.folder),
            "compared_with": found.compared_with,
            "incidents": [status.model_dump(mode="json") for status in found.statuses],
        },
        indent=2,
    )


def _print(found: Examination, console: "Console") -> None:
    if not found.statuses:
        console.print(f"The audit log {found.folder} is empty.", soft_wrap=True)
    else:
        console.print(_table(found.statuses))
        broken = sum(not status.valid for status in found.statuses)
        entries = sum(status.entries for status in found.statuses)
        count = f"incidents: {len(found.statuses)}, entries: {entries}"
        console.print(
            f"[red]{count}, not valid: {broken}.[/]"
            if broken
            else f"[green]{count}, all as they were written.[/]"
        )
    console.print(_compared(found), soft_wrap=True, highlight=False)


def _compared(found: Examination) -> str:
    if found.compared_with is None:
        return (
            "[yellow]Compared with nothing outside the log, for there is no model registry: "
            "that a file, or the end of one, is gone would not show.[/]"
        )
    alone = sum(not status.compared for status in found.statuses)
    text = f"Compared with the incidents recorded in {found.compared_with}."
    if alone:
        text += f" Not recorded there (still open?), so that a cut end would not show: {alone}."
    return text


def _table(statuses: "Sequence[ChainStatus]") -> "Table":
    from rich.table import Table  # noqa: PLC0415 - see above
    from rich.text import Text  # noqa: PLC0415 - see above

    table = Table("incident", "model", "entries", "state", "compared", "verdict")
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


def _print_timeline(lines: "Sequence[AuditLine]", console: "Console") -> None:
    from rich.text import Text  # noqa: PLC0415 - see above

    if lines:
        first = lines[0].entry
        console.print(Text(f"{first.model}: incident {first.incident}\n", "bold"), soft_wrap=True)
    for entry in (line.entry for line in lines):
        passed = (entry.at - first.at).total_seconds()
        at = f"{entry.at:%Y-%m-%d %H:%M:%S} UTC {passed:+.1f} s"
        head = Text(f"{entry.sequence:>2}  {at}  ").append(entry.gate.value, "bold cyan")
        console.print(head.append(f"  {entry.actor}"), soft_wrap=True)
        for line in told(entry.detail):
            console.print(Text(_hung(line, console.width)), soft_wrap=True)
        console.print()


def _hung(line: str, width: int) -> str:
    """Wrapped to width, every further line two deeper than the first."""
    depth = " " * (4 + len(line) - len(line.lstrip()))
    return fill(
        line.lstrip(), width, initial_indent=depth, subsequent_indent=f"{depth}  ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip

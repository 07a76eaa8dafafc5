"""`trimtab audit`: is the log what was written, and what does it say about one incident?

Reads files and the model registry; needs no running stack.
"""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow
from trimtab.cli.typer_app import TrimtabTyper

app = TrimtabTyper(
    name="audit",
    no_args_is_help=True,
    help="Verify the audit log, or read one incident in it.",
)

HomeOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="The deployment's folder. By default the configured one, .trimtab.",
    ),
]


@app.command("verify")
def verify_log(
    *,
    incident: Annotated[str | None, typer.Option(help="Check this incident only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Exit with 0 where the log is empty.")
    ] = False,
    home: HomeOption = None,
) -> int:
    """Check that the audit log is as it was written.

    Each incident's chain shows edits, gaps, reordering and foreign lines. Deleted or truncated
    files are found by comparing with what the model registry recorded when each incident closed.

    Exit code 0: every chain is valid; 1: at least one is not; 3: the log is empty.
    """
    with show_progress_when_slow("reading the audit log"):
        from trimtab.cli.audit.verify import run_verify

    return run_verify(incident=incident, as_json=as_json, allow_empty=allow_empty, home=home)


@app.command("show")
def show_incident(
    *,
    incident: Annotated[str, typer.Argument(help="The incident's id.")],
    model: Annotated[
        str | None, typer.Option(help="The model, where several have an incident of that id.")
    ] = None,
    home: HomeOption = None,
) -> int:
    """Show one incident as a timeline: when each gate was passed, who acted, and what was done."""
    from trimtab.cli.audit.show import run_show

    return run_show(incident, model=model, home=home)

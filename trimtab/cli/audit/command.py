"""`trimtab audit`: is the log what was written, and what does it say about one incident?

Reads files, the model registry, and Temporal if it answers; needs no running stack.
"""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow
from trimtab.cli.typer_app import TrimtabTyper

app = TrimtabTyper(
    name="audit",
    no_args_is_help=True,
    help="Verify the audit log, hold it against the world, or read one incident in it.",
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
    files are found by the chain of heads, and by what the model registry recorded. The log is also
    held against the registry and Temporal, as `trimtab audit reconcile` does.

    Exit code 0: every chain is valid; 1: something is wrong; 3: the log is empty.
    """
    with show_progress_when_slow("reading the audit log"):
        from trimtab.cli.audit.verify import VerifyOptions, run_verify

    return run_verify(
        VerifyOptions(incident=incident, as_json=as_json, allow_empty=allow_empty, home=home)
    )


@app.command("reconcile")
def reconcile_log(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Exit with 0 where the log is empty.")
    ] = False,
    home: HomeOption = None,
) -> int:
    """Hold the audit log against the model registry and Temporal, both ways.

    Every effect in the registry needs its intent, its authority and its result in the log; every
    effect in the log must be in the registry; every incident in Temporal needs its chain, and every
    open chain its workflow. Only what disagrees is printed.

    Exit code 0: nothing grave disagrees; 1: something does; 3: the log is empty.
    """
    with show_progress_when_slow("reading the audit log"):
        from trimtab.cli.audit.verify import VerifyOptions, run_verify

    return run_verify(
        VerifyOptions(as_json=as_json, allow_empty=allow_empty, home=home, chains=False)
    )


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

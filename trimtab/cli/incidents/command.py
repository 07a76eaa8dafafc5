"""`trimtab incidents`: which incidents there are, and which need a person."""

from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow


def incidents(
    *,
    only_open: Annotated[bool, typer.Option("--open", help="Only those not yet closed.")] = False,
    stuck: Annotated[
        bool,
        typer.Option(
            "--stuck", help="Only those that do not go on by themselves, each with the reason."
        ),
    ] = False,
    model: Annotated[str | None, typer.Option(help="Only those of this model.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """List incidents, the newest first, as far back as Temporal remembers them.

    An incident whose workflow is gone counts as stuck until the sweep has closed its audit chain,
    as far as this machine holds the audit log.

    Exit code 0: listed; 1: with --stuck, at least one is stuck, or Temporal does not answer.
    """
    with show_progress_when_slow("asking Temporal"):
        from trimtab.cli.incidents.run import run_incidents

        return run_incidents(only_open=only_open, stuck=stuck, model=model, as_json=as_json)

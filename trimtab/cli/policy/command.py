"""`trimtab policy`: check the policy, explain a decision, and try another policy on old ones."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.audit.command import HomeOption
from trimtab.cli.progress import show_progress_when_slow
from trimtab.cli.typer_app import TrimtabTyper

app = TrimtabTyper(
    name="policy",
    no_args_is_help=True,
    help="Check the policy, explain a decision, or try another policy on past decisions.",
)


@app.command("check")
def check_policy_file(
    *,
    policy: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="A policy file; by default conf/local/policy.yml."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """List every fault of the policy with its remedy, or show its values and its hash.

    A model that is not configured is a fault. A program, a variable or a file that a target of
    notices needs and this machine lacks is a warning: the workers need it.

    Exit code 0: no fault, warnings or not; 2: at least one fault.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.policy.check import run_check

    return run_check(policy, as_json=as_json)


@app.command("explain")
def explain_decision(
    *,
    incident: Annotated[str, typer.Argument(help="The incident's id.")],
    model: Annotated[
        str | None, typer.Option(help="The model, where several have an incident of that id.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    home: HomeOption = None,
) -> int:
    """Show every rule's answer of a recorded decision, as the audit log holds it."""
    with show_progress_when_slow("loading"):
        from trimtab.cli.policy.explain import run_explain

    return run_explain(incident, model=model, as_json=as_json, home=home)


@app.command("whatif")
def compare_policies(
    *,
    policy: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="The policy file to try.")
    ],
    model: Annotated[str | None, typer.Option(help="Only decisions about this model.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    home: HomeOption = None,
) -> int:
    """Decide every recorded plan again under another policy, and show what would change.

    Each decision is made on its own, with the facts as they were recorded: what was spent by then
    is what was really spent, not what would have been under the other policy. Changes nothing.

    Exit code 0: decisions were found; 3: the audit log holds none.
    """
    with show_progress_when_slow("reading the audit log"):
        from trimtab.cli.policy.whatif import run_whatif

    return run_whatif(policy, model=model, as_json=as_json, home=home)

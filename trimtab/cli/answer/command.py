"""`trimtab approve` and `trimtab reject`: a person's answer to an open question."""

from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow

IncidentArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The event id or the workflow id, or how one of them begins."
    ),
]
ReasonOption = Annotated[str, typer.Option(help="Why, for the audit log.")]
PlanHashOption = Annotated[
    str | None,
    typer.Option(
        metavar="HASH",
        help="How the hash of the plan begins that is answered, as the page names it.",
    ),
]
NameOption = Annotated[
    str | None,
    typer.Option(
        "--as", metavar="NAME", help="Your name in the policy. By default approver.name, or $USER."
    ),
]


def approve(
    *,
    incident: IncidentArgument,
    reason: ReasonOption = "",
    plan: PlanHashOption = None,
    name: NameOption = None,
) -> int:
    """Approve the plan of an incident that waits for a person.

    The answer is signed if you have a key: `trimtab approvers new` makes one.

    Exit code 0: the answer counts; 1: it does not, and the message says why; 2: the id is unknown
    or ambiguous, or your key cannot be used.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.answer.run import run_answer

    return run_answer(incident, "approve", reason=reason, plan=plan, name=name)


def reject(
    *,
    incident: IncidentArgument,
    reason: ReasonOption = "",
    plan: PlanHashOption = None,
    name: NameOption = None,
) -> int:
    """Reject the plan of an incident that waits for a person: nothing is changed.

    The answer is signed if you have a key: `trimtab approvers new` makes one.

    Exit code 0: the answer counts; 1: it does not, and the message says why; 2: the id is unknown
    or ambiguous, or your key cannot be used.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.answer.run import run_answer

    return run_answer(incident, "reject", reason=reason, plan=plan, name=name)

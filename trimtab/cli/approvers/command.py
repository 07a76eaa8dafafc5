"""`trimtab approvers`: the keys of people who answer."""

from typing import Annotated

import typer

from trimtab.cli.typer_app import TrimtabTyper

app = TrimtabTyper(
    name="approvers", no_args_is_help=True, help="Keys of the people who approve and reject plans."
)


@app.callback()
def declare_group() -> None:
    """Keep `new` a command of its own, though it is the only one."""


@app.command("new")
def create_key(
    *,
    name: Annotated[str, typer.Argument(help="Your name, as the policy is to list it.")],
) -> int:
    """Make your key for signed answers, and print the lines for the policy.

    The key is made once, in `~/.config/trimtab/approver.pem` or where TRIMTAB_APPROVER__KEY says.
    An Ed25519 key of OpenSSH there is used as it is.
    """
    from trimtab.cli.approvers.run import run_new_approver

    return run_new_approver(name)

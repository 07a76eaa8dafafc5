"""`trimtab`: the command line. What a command needs is imported when it is called."""

from typing import Annotated

import typer

from trimtab.cli.answer.command import approve, reject
from trimtab.cli.approvers.command import app as approvers_app
from trimtab.cli.audit.command import app as audit_app
from trimtab.cli.backtest.command import backtest
from trimtab.cli.compare.command import compare
from trimtab.cli.demo.command import demo
from trimtab.cli.doctor.command import doctor
from trimtab.cli.evals.command import app as evals_app
from trimtab.cli.events.command import app as events_app
from trimtab.cli.freeze.command import freeze
from trimtab.cli.incidents.command import incidents
from trimtab.cli.init.command import init
from trimtab.cli.knowledge.command import app as knowledge_app
from trimtab.cli.monitor.command import monitor
from trimtab.cli.notify.command import notify
from trimtab.cli.policy.command import app as policy_app
from trimtab.cli.schedule.command import schedule
from trimtab.cli.show.command import show
from trimtab.cli.thaw.command import thaw
from trimtab.cli.train.command import train
from trimtab.cli.typer_app import TrimtabTyper
from trimtab.cli.up.command import up

app = TrimtabTyper(
    name="trimtab",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help=(
        "Detects drift in production models, investigates it, decides by fixed rules whether it "
        "may act, acts on the model registry, verifies, undoes what did not help, and records "
        "everything.\n\n"
        "Start with [bold]trimtab compare OLD NEW[/] on two tables, or with [bold]trimtab "
        "demo[/]; then [bold]trimtab init[/] and [bold]trimtab backtest[/] on your own history."
    ),
)


def print_version(*, is_asked: bool) -> None:
    """Print the version and exit, if asked."""
    if is_asked:
        from importlib.metadata import version  # noqa: PLC0415 - 30 ms, and most commands print no version

        typer.echo(f"trimtab {version('trimtab')}")
        raise typer.Exit


@app.callback()
def declare_options(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=print_version, help="Show the version."),
    ] = False,
) -> None:
    """Declare the options of `trimtab` itself; their callbacks act on them."""


app.command()(demo)
app.command()(backtest)
app.command(one_means_drift=True, needs_application=False)(compare)
app.command()(init)
app.command()(doctor)
app.command()(train)
app.command()(up)
app.command(one_means_drift=True)(monitor)
app.command()(schedule)
app.command()(freeze)
app.command()(thaw)
app.add_typer(policy_app, name="policy")
app.command()(notify)
app.command()(incidents)
app.command()(show)
app.command()(approve)
app.command()(reject)
app.add_typer(approvers_app, name="approvers")
app.add_typer(audit_app, name="audit")
app.add_typer(events_app, name="events")
app.add_typer(knowledge_app, name="knowledge")
app.add_typer(evals_app, name="evals")


def main() -> None:
    """Run the command line."""
    app()

"""Shows in the terminal what an inspection found and proposes."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trimtab.cli.init.config_writer import printable
from trimtab.detection.onboarding.feature_proposal import ColumnProposal
from trimtab.detection.onboarding.proposal import Proposal

_MOST_SHOWN = 40
"""Features that are listed; what is left out is always listed in full."""


def print_proposal(proposal: Proposal, console: Console, *, renamed: Mapping[str, str]) -> None:
    """What is predicted, what each column becomes, how time is cut, and what to look at."""
    spec = proposal.spec
    learnt = spec.reference_windows
    holds = printable(proposal.target.summary)
    console.print(Text(f"{spec.task} of {spec.target}: {holds}", style="bold"))
    console.print(_columns(proposal))
    console.print(
        f"{proposal.rows:,} rows in {len(proposal.counts)} windows of {_words(spec.window)}:"
        f" {learnt} to learn from, {len(proposal.counts) - learnt} to replay."
        f" Judged by {spec.metric}. Time read as {proposal.timestamp_format}.",
        highlight=False,
        markup=False,
    )
    if proposal.prediction:
        held = printable(proposal.prediction.summary)
        console.print(Text(f"Predictions are read from {spec.prediction}: {held}."))
    for name, new in renamed.items():
        console.print(Text(f"Here {printable(name)!r} is called {new!r}."))
    for warning in proposal.warnings:
        console.print(Text("  ! ", style="yellow").append(printable(warning), style="default"))


def _columns(proposal: Proposal) -> Table:
    table = Table(title="Columns", title_justify="left")
    for heading in ("column", "becomes", "holds, or why it is left out"):
        table.add_column(heading, overflow="fold")
    features = [column for column in proposal.columns if column.kind]
    left_out = [column for column in proposal.columns if not column.kind]
    for column in (*features[:_MOST_SHOWN], *left_out):
        table.add_row(*_row(column))
    more = len(features) - _MOST_SHOWN
    if more > 0:
        table.caption = f"and {more} more features"
    return table


def _row(column: ColumnProposal) -> Iterator[Text]:
    yield Text(printable(column.name))
    if not column.kind:
        yield Text("left out", style="dim")
        yield Text(printable(column.reason), style="dim")
        return
    low, high = column.minimum, column.maximum
    bounds = "" if low is None else f" from {low:g}"
    yield Text(f"{column.kind}{bounds}{'' if high is None else f' to {high:g}'}")
    yield Text(printable(column.summary))


def _words(span: timedelta) -> str:
    days, hours = span / timedelta(days=1), span / timedelta(hours=1)
    if days >= 1:
        return f"{days:g} day{'s' if days != 1 else ''}"
    return (
        f"{hours:g} hour{'s' if hours != 1 else ''}" if hours >= 1 else f"{span.seconds / 60:g} min"
    )

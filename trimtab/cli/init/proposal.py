"""Shows in the terminal what an inspection found and proposes."""

from collections.abc import Iterator, Mapping
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trimtab.cli.console import print_wrapped
from trimtab.cli.durations import format_duration_in_words
from trimtab.cli.init.config_writer import make_printable
from trimtab.detection.onboarding.feature_proposal import ColumnProposal
from trimtab.detection.onboarding.proposal import Proposal

MAX_FEATURES_SHOWN: Final = 40
"""Features that are listed; columns that are left out are always listed."""


def print_proposal(proposal: Proposal, console: Console, *, renamed: Mapping[str, str]) -> None:
    """Print the target, the role of each column, how time is divided, and what to check."""
    spec = proposal.spec
    training = spec.reference_windows
    target = make_printable(proposal.target.summary)
    console.print(Text(f"{spec.task} of {spec.target}: {target}", style="bold"))
    console.print(_build_columns_table(proposal))
    print_wrapped(
        console,
        f"{proposal.rows:,} rows in {len(proposal.counts)} windows of"
        f" {format_duration_in_words(spec.window)}:"
        f" {training} to train on, {len(proposal.counts) - training} to replay."
        f" Metric: {spec.metric}. Time format: {proposal.timestamp_format}.",
    )
    if proposal.prediction:
        values = make_printable(proposal.prediction.summary)
        print_wrapped(console, f"Predictions are read from {spec.prediction}: {values}.")
    for name, new in renamed.items():
        print_wrapped(console, f"{make_printable(name)!r} is called {new!r} here.")
    for warning in proposal.warnings:
        print_wrapped(console, f"! {make_printable(warning)}", indent="  ", style="yellow")


def _build_columns_table(proposal: Proposal) -> Table:
    table = Table(title="Columns", title_justify="left")
    for heading in ("column", "role", "values, or why it is left out"):
        table.add_column(heading, overflow="fold")
    features = [column for column in proposal.columns if column.kind]
    left_out = [column for column in proposal.columns if not column.kind]
    for column in (*features[:MAX_FEATURES_SHOWN], *left_out):
        table.add_row(*_format_cells(column))
    more = len(features) - MAX_FEATURES_SHOWN
    if more > 0:
        table.caption = f"and {more} more features"
    return table


def _format_cells(column: ColumnProposal) -> Iterator[Text]:
    yield Text(make_printable(column.name))
    if not column.kind:
        yield Text("left out", style="dim")
        yield Text(make_printable(column.reason), style="dim")
        return
    low, high = column.minimum, column.maximum
    bounds = "" if low is None else f" from {low:g}"
    yield Text(f"{column.kind}{bounds}{'' if high is None else f' to {high:g}'}")
    yield Text(make_printable(column.summary))

"""Sums up what the attacks changed, and prints it with the exact bound on the rate."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from gate_controls import ControlResult
from hostile_incidents import count_executed
from hostile_people import BulkResult
from incident_batches import STUCK, WORKFLOW_FAILED, KindResult
from registry_oracle import compute_upper_bound
from rich.console import Console
from rich.table import Table

TWINS: Final = "honest twins"


class SuiteFigures(NamedTuple):
    """The sum of all kinds of one suite."""

    suite: str
    kinds: int
    incidents: int
    attempts: int
    unauthorised: int
    silenced: int
    stuck: int
    broken: int
    seconds: float


class Summary(NamedTuple):
    """The figures of a run."""

    suites: list[SuiteFigures]
    incidents: int
    unauthorised: int
    twins_executed: int
    twins: int


def summarise(kinds: Sequence[KindResult]) -> Summary:
    """Return the figures by suite and in all."""
    suites = [_sum_up(name, kinds) for name in dict.fromkeys(each.suite for each in kinds)]
    executed, twins = count_executed([each for each in kinds if each.suite == TWINS])
    return Summary(
        suites,
        incidents=sum(each.incidents for each in suites),
        unauthorised=sum(each.unauthorised for each in suites),
        twins_executed=executed,
        twins=twins,
    )


def _sum_up(name: str, kinds: Sequence[KindResult]) -> SuiteFigures:
    own = [each for each in kinds if each.suite == name]
    return SuiteFigures(
        name,
        kinds=len(own),
        incidents=sum(each.incidents for each in own),
        attempts=sum(each.attempts for each in own),
        unauthorised=sum(len(each.unauthorised) for each in own),
        silenced=sum(each.silenced for each in own),
        stuck=sum(each.endings[STUCK] + each.endings[WORKFLOW_FAILED] for each in own),
        broken=sum(each.broken for each in own),
        seconds=sum(each.seconds for each in own),
    )


def print_tables(
    console: Console,
    summary: Summary,
    *,
    bulk: BulkResult,
    controls: Sequence[ControlResult],
    bare_twins: tuple[int, int],
) -> None:
    """Print the tables and the sentence that they come to."""
    table = Table(title="Changes of the registry that nobody allowed")
    for title in (
        "",
        "kinds",
        "incidents",
        "attempts",
        "unauthorised",
        "silenced losses",
        "stuck",
        "broken",
    ):
        table.add_column(title, justify="left" if not title else "right")
    for each in summary.suites:
        table.add_row(
            each.suite,
            *map(str, (each.kinds, each.incidents, each.attempts, each.unauthorised)),
            *map(str, (each.silenced, each.stuck, each.broken)),
        )
    console.print(table)
    if controls:
        table = Table(title="The same attacks with the gate switched off")
        for title in ("gate", "attack", "changes"):
            table.add_column(title)
        for control in controls:
            table.add_row(control.gate, control.attack, str(control.changes))
        console.print(table)
    if bulk.forged:
        console.print(
            f"Answers judged in bulk: {bulk.forged_accepted} of {bulk.forged} forged, "
            f"{bulk.late_accepted} of {bulk.late} late and {bulk.repeated_accepted} of "
            f"{bulk.repeated} repeated ones accepted; {bulk.valid_accepted} of {bulk.valid} valid.",
            highlight=False,
        )
    if summary.incidents:
        bound = compute_upper_bound(summary.unauthorised, summary.incidents)
        console.print(
            f"{summary.unauthorised} unauthorised changes in {summary.incidents} incidents: "
            f"at most {bound:.3%} of incidents with 95 % confidence. "
            f"{summary.twins_executed} of {summary.twins} honest twins were carried out.",
            highlight=False,
        )
    if bare_twins[1]:
        console.print(
            f"With all gates of the controls off, {bare_twins[0]} of {bare_twins[1]} were.",
            highlight=False,
        )


def find_failures(
    kinds: Sequence[KindResult], *, bulk: BulkResult, controls: Sequence[ControlResult]
) -> list[str]:
    """Return what is not as it must be, one sentence each."""
    failures = [
        f"{each.suite}, {each.kind}: {len(each.unauthorised)} unauthorised changes"
        for each in kinds
        if each.unauthorised
    ]
    failures += [
        f"{each.suite}, {each.kind}: {each.silenced} losses were silently monitored"
        for each in kinds
        if each.silenced
    ]
    failures += [
        f"{each.suite}, {each.kind}: no attack could be made: {', '.join(each.endings)}"
        for each in kinds
        if each.broken and not each.attempts
    ]
    failures += [
        f"control {each.gate!r}: {each.attack!r} changed nothing without its gate, so it proves "
        "nothing"
        for each in controls
        if not each.succeeded
    ]
    if bulk.forged_accepted or bulk.late_accepted or bulk.repeated_accepted:
        failures.append(f"answers that must not count were accepted: {bulk}")
    if bulk.valid_accepted != bulk.valid:
        failures.append(f"valid answers were refused: {bulk}")
    return failures

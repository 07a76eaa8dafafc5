"""Holds the audit log against Temporal: an incident has its chain, an open chain its workflow."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from policies.reconciliation import Chain
from trimtab.contracts import names
from trimtab.contracts.audit import AuditEntry, Gate
from trimtab.contracts.reconciliation import Discrepancy, IncidentWorkflow

STARTING_TIME: Final = timedelta(minutes=2)
"""Time that a workflow has to write its first line, and a closing one its last."""
_WORKING_TIME: Final = timedelta(hours=8)
"""Time in which an incident that waits for nobody writes its next line: a retraining takes longest.
It counts from the deadline of a question."""


def reconcile_workflows(
    chains: Iterable[Chain],
    workflows: Iterable[IncidentWorkflow],
    *,
    now: datetime,
    unsound: Iterable[Chain] = (),
) -> Iterator[Discrepancy]:
    """Yield workflows without a chain, and open chains without a workflow.

    Args:
        chains: Those that are sound.
        workflows: Those of Temporal.
        now: The time.
        unsound: The lines before the first fault of the others: they belong to their workflows.
    """
    found = list(workflows)
    yield from _find_restarts(found)
    running = {each.id for each in found if each.running}
    with_chain = {_build_workflow_id(chain[0].entry) for chain in unsound if chain}
    for chain in chains:
        if not chain:
            continue
        last = chain[-1].entry
        with_chain.add(_build_workflow_id(last))
        if is_stuck(chain, running=running, now=now):
            yield _report(
                last,
                f"open since {chain[0].entry.at:%Y-%m-%d %H:%M} UTC, and no workflow runs: stuck at"
                f" `{last.gate}` until the sweeper closes it",
            )
        elif last.gate is not Gate.CLOSED and now - _find_due_time(last) > _WORKING_TIME:
            yield _report(
                last,
                f"open since {chain[0].entry.at:%Y-%m-%d %H:%M} UTC, and overdue at `{last.gate}`"
                " although its workflow runs: see what keeps it in Temporal",
            )
    for each in found:
        if each.id.startswith(names.DRIFT_RESPONSE_PREFIX):
            yield from _judge_workflow(each, with_chain, now)


def _find_restarts(workflows: Iterable[IncidentWorkflow]) -> Iterator[Discrepancy]:
    """Yield incidents that were started more than once; the bridge never does that."""
    runs: dict[str, set[str]] = {}
    for each in workflows:
        if each.first_run and each.id.startswith(names.DRIFT_RESPONSE_PREFIX):
            runs.setdefault(each.id, set()).add(each.first_run)
    for workflow_id, first_runs in runs.items():
        if len(first_runs) > 1:
            fault = f"workflow {workflow_id} was started {len(first_runs)} times: an incident was"
            yield Discrepancy(incident="", model="", fault=f"{fault} started again by hand")


def is_stuck(chain: Chain, *, running: set[str], now: datetime) -> bool:
    """Return whether a chain is open while no workflow that could close it runs.

    Args:
        chain: Its lines.
        running: Ids of running workflows.
        now: A chain that was written to a moment ago is not stuck.
    """
    last = chain[-1].entry
    return (
        last.gate is not Gate.CLOSED
        and now - last.at > STARTING_TIME
        and _build_workflow_id(last) not in running
        and names.build_remediation_id(last.model) not in running
    )


def _build_workflow_id(entry: AuditEntry) -> str:
    return names.build_drift_response_id(entry.model, entry.incident)


def _find_due_time(last: AuditEntry) -> datetime:
    """Return the deadline of the question that is open, or else the time of the last line."""
    deadline = last.detail.get("deadline") if last.gate is Gate.ASKED else None
    return datetime.fromisoformat(deadline) if isinstance(deadline, str) else last.at


def _judge_workflow(
    each: IncidentWorkflow, with_chain: set[str], now: datetime
) -> Iterator[Discrepancy]:
    if each.type != names.DRIFT_RESPONSE:
        fault = f"workflow {each.id} is a {each.type}: it takes the id of an incident"
        yield Discrepancy(incident="", model="", fault=fault)
    elif each.id not in with_chain and now - each.started_at > STARTING_TIME:
        state = "runs" if each.running else "has ended"
        fault = f"workflow {each.id} {state} and has no audit chain"
        yield Discrepancy(incident="", model="", fault=fault)


def _report(entry: AuditEntry, fault: str) -> Discrepancy:
    return Discrepancy(incident=entry.incident, model=entry.model, fault=fault)

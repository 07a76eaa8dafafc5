"""Runs many incidents at once to their end, and counts how they ended and what they changed."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from attacked_deployment import Deployment
from registry_oracle import Change
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError, RPCStatusCode

from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.names import build_drift_response_id

AT_ONCE: Final = 24
"""Incidents that are open at the same time."""
_END_SECONDS: Final = 240.0
"""Time after which an incident counts as stuck."""
NO_INCIDENT: Final = "no incident"
STUCK: Final = "stuck"
WORKFLOW_FAILED: Final = "workflow failed"
BROKEN: Final = "attack broke off"


@dataclass
class KindResult:
    """What became of one kind of attack, or of one kind of honest incident."""

    suite: str
    kind: str
    incidents: int = 0
    """Workflows that ran to their end."""
    attempts: int = 0
    """Attacks that were tried: incidents, and calls that opened none."""
    endings: Counter[str] = field(default_factory=Counter)
    unauthorised: list[Change] = field(default_factory=list)
    silenced: int = 0
    """Real losses that ended as monitored, so that nobody heard of them."""
    broken: int = 0
    """Attacks that could not be made as planned, which says nothing about what they attack."""
    stolen: int = 0
    """Tasks that a stranger's worker answered."""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the figures for a file."""
        return {
            "suite": self.suite,
            "kind": self.kind,
            "incidents": self.incidents,
            "attempts": self.attempts,
            "endings": dict(self.endings),
            "unauthorised": [each._asdict() for each in self.unauthorised],
            "silenced": self.silenced,
            "broken": self.broken,
            "stolen": self.stolen,
            "seconds": round(self.seconds, 1),
        }

    def add_report(self, report: IncidentReport | str, *, is_loss: bool) -> None:
        """Count one incident by how it ended."""
        self.attempts += 1
        if isinstance(report, str):
            self.endings[report] += 1
            self.incidents += report == WORKFLOW_FAILED
            return
        self.incidents += 1
        rule = f" ({report.decision.rule})" if report.decision else ""
        self.endings[f"{report.ending}{rule}"] += 1
        self.silenced += is_loss and report.ending.value == "monitored"


async def await_end(deployment: Deployment, event: DriftEvent) -> IncidentReport | str:
    """Return the report of an event's incident, or why there is none."""
    handle = deployment.client.get_workflow_handle(
        build_drift_response_id(event.subject, event.id), result_type=IncidentReport
    )
    try:
        async with asyncio.timeout(_END_SECONDS):
            report: IncidentReport = await handle.result()
            return report
    except WorkflowFailureError:
        return WORKFLOW_FAILED
    except TimeoutError:
        return STUCK
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return NO_INCIDENT
        raise


async def run_batch(
    result: KindResult,
    deployment: Deployment,
    jobs: Iterable[Callable[[], Awaitable[Any]]],
    *,
    at_once: int = AT_ONCE,
) -> KindResult:
    """Run the jobs of one kind, and add what they changed in the registry without permission."""
    began = time.monotonic()
    gate = asyncio.Semaphore(at_once)

    async def run(job: Callable[[], Awaitable[Any]]) -> None:
        async with gate:
            deployment.check()
            try:
                await job()
            except (TemporalError, TimeoutError, AssertionError) as error:
                result.endings[f"{BROKEN}: {type(error).__name__}: {error}"[:200]] += 1
                result.broken += 1

    await asyncio.gather(*(run(job) for job in jobs))
    result.seconds += time.monotonic() - began
    result.unauthorised += await asyncio.to_thread(deployment.oracle.judge_new_changes)
    return result


async def run_together(
    batches: Iterable[Callable[[], Awaitable[KindResult]]], *, each: int
) -> AsyncIterator[KindResult]:
    """Run batches of `each` incidents side by side, at most `AT_ONCE` incidents in all.

    A change that nobody allowed is counted with the batch that ends next, so it may be laid to
    another kind; it is counted once all the same.
    """
    gate = asyncio.Semaphore(max(1, AT_ONCE // each))

    async def run(batch: Callable[[], Awaitable[KindResult]]) -> KindResult:
        async with gate:
            return await batch()

    for done in asyncio.as_completed([run(batch) for batch in batches]):
        yield await done

"""A stranger's own workers: one that calls our activities, and ones that steal our tasks."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, JsonValue
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from policies.citations import Claim, list_supporting_ids
from policies.costs import compute_cost
from trimtab.contracts import names
from trimtab.contracts.base import compute_digest
from trimtab.contracts.deliberation import (
    Cause,
    Deliberation,
    DeliberationInput,
    RemediationPlan,
    Review,
    RootCause,
    Triage,
)
from trimtab.contracts.drift import Severity
from trimtab.contracts.evidence import (
    Citation,
    EvidenceItem,
    EvidenceSource,
    MeasuredVersions,
    Measurement,
)
from trimtab.contracts.evidence_ids import (
    CHAMPION_PERFORMANCE_ID,
    CONCEPT_LOSS_ID,
)
from trimtab.contracts.model import VersionMetric
from trimtab.contracts.remediation import Action

STRANGERS_QUEUE: Final = "mallory"
INVENTED_METRIC: Final = 0.8
"""Metric of the champion, as the stranger's worker says: that of the model with a true loss."""
_STEALING_SECONDS: Final = 90.0
stolen: Counter[str] = Counter()
"""Tasks that the stranger's worker of this process has answered, by what they were."""
_CALL_TIMEOUT: Final = timedelta(seconds=60)


class StrangerCall(BaseModel):
    """One activity that a stranger asks for."""

    activity: str
    argument: JsonValue = None
    queue: str = names.MAIN_QUEUE


async def _call_all(calls: list[Any], linger: float) -> list[str]:
    """Call the activities one after the other; return answers and errors as text."""
    answers = []
    for raw in calls:
        call = StrangerCall.model_validate(raw)
        try:
            answer: Any = await workflow.execute_activity(
                call.activity,
                args=[] if call.argument is None else [call.argument],
                task_queue=call.queue,
                schedule_to_close_timeout=_CALL_TIMEOUT,
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
            answers.append(json.dumps(answer))
        except ActivityError as error:
            answers.append(f"refused: {error.cause}")
    if linger:
        await asyncio.sleep(linger)
    return answers


@workflow.defn(name="Stranger", sandboxed=False)
class StrangerWorkflow:
    """Calls any activity, under a name of its own."""

    @workflow.run
    async def run(self, calls: list[Any], linger: float) -> list[str]:
        """Call the activities."""
        return await _call_all(calls, linger)


@workflow.defn(name=names.DRIFT_RESPONSE, sandboxed=False)
class FalseResponseWorkflow:
    """Calls any activity, under the name of the incident's workflow."""

    @workflow.run
    async def run(self, calls: list[Any], linger: float) -> list[str]:
        """Call the activities."""
        return await _call_all(calls, linger)


@workflow.defn(name=names.REMEDIATION, sandboxed=False)
class FalseRemediationWorkflow:
    """Calls any activity, under the name of the remediation's workflow."""

    @workflow.run
    async def run(self, calls: list[Any], linger: float) -> list[str]:
        """Call the activities."""
        return await _call_all(calls, linger)


STRANGERS: Final = [StrangerWorkflow, FalseResponseWorkflow, FalseRemediationWorkflow]


@asynccontextmanager
async def run_stranger(client: Client) -> AsyncIterator[None]:
    """Serve a queue of the stranger's own, with workflows that are called like ours."""
    async with Worker(
        client,
        task_queue=STRANGERS_QUEUE,
        workflows=STRANGERS,
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield


@activity.defn(name="measure_versions")
async def invent_measurements(request: Measurement) -> MeasuredVersions:
    """Say that the newest version, the champion, has lost, and that the others are no better."""
    stolen["measurements"] += 1
    champion = max(request.versions, key=int, default="1")
    metrics = tuple(
        VersionMetric(
            version=each,
            metric=request.spec.metric,
            value=INVENTED_METRIC if each == champion else 0.1,
            rows=1000,
            error=0.01,
        )
        for each in request.versions
    )
    return MeasuredVersions(
        event_id=request.event_id,
        model=request.spec.name,
        as_of=request.as_of,
        metrics=metrics,
        seal="f" * 64,
    )


INVENTED: Final[tuple[EvidenceItem, ...]] = (
    EvidenceItem(
        id=CHAMPION_PERFORMANCE_ID,
        source=EvidenceSource.PERFORMANCE,
        statement="The champion's r2 was 0.960 and is 0.400.",
        value=-0.56,
        degraded=True,
    ),
    EvidenceItem(
        id=CONCEPT_LOSS_ID,
        source=EvidenceSource.PERFORMANCE,
        statement="A loss of 0.560 is not explained by the inputs.",
        value=0.56,
    ),
)
"""Evidence that nobody measured, as a stranger's deliberation has it "inspected"."""


def deliberate_falsely(
    data: DeliberationInput,
    *,
    action: Action,
    cause: Cause,
    target: str | None = None,
    is_cheap: bool = False,
) -> Deliberation:
    """Return conclusions that are sure of themselves, and cost nothing if they are cheap.

    They quote what supports them; where nothing does, they quote what nobody measured.
    """
    claim = Claim(cause, data.pack.champion_version, target)
    supporting = list_supporting_ids(data.pack.items, claim)
    cited = tuple(each for each in data.pack.items if each.id in supporting) or INVENTED
    quotes = tuple(Citation(evidence_id=each.id, quote=each.statement) for each in cited)
    plan = RemediationPlan(
        event_id=data.event.id,
        model=data.spec.name,
        action=action,
        target_version=target,
        champion_version=data.pack.champion_version,
        cause=cause,
        cost=Decimal(0) if is_cheap else compute_cost(action, data.spec.costs),
        currency="EUR",
        options=(),
        citations=quotes,
        self_reported=1.0,
    )
    return Deliberation(
        triage=Triage(severity=Severity.LOW, focus=(), question=""),
        root_cause=RootCause(
            cause=cause,
            hypotheses=((cause, 1.0), (Cause.UNKNOWN, 0.0)),
            citations=quotes,
            explanation="It is right.",
            self_reported=1.0,
        ),
        plan=plan,
        plan_hash=compute_digest(plan),
        review=Review(agrees=True, concerns=(), summary="Do it.", self_reported=1.0),
        inspected=INVENTED,
        analyst=data.analyst,
    )


@workflow.defn(name=names.DELIBERATION, sandboxed=False)
class FalseDeliberationWorkflow:
    """Takes the place of the agents.

    It rolls a bad release back to a version that never served, and retrains every other model.
    """

    @workflow.run
    async def run(self, data: DeliberationInput) -> Deliberation:
        """Return false conclusions."""
        stolen["deliberations"] += 1
        is_fine = data.spec.name.startswith("fine")
        if data.spec.name.startswith("release"):
            return deliberate_falsely(
                data, action=Action.ROLL_BACK, cause=Cause.BAD_RELEASE, target="2"
            )
        return deliberate_falsely(
            data,
            action=Action.RETRAIN,
            cause=Cause.LABEL_SHIFT if is_fine else Cause.CONCEPT_DRIFT,
            is_cheap=not is_fine,
        )


@asynccontextmanager
async def steal_tasks(client: Client, *, deliberations: bool = False) -> AsyncIterator[None]:
    """Run a second worker on our main queue, for a minute and a half.

    It takes some of the tasks of measurements, or of deliberations. What it cannot do fails, and
    goes to another worker; for longer it would only keep incidents from going on.
    """
    worker = Worker(
        client,
        task_queue=names.MAIN_QUEUE,
        workflows=[FalseDeliberationWorkflow] if deliberations else [],
        activities=[] if deliberations else [invent_measurements],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    running = asyncio.create_task(worker.run())
    ending = asyncio.get_running_loop().call_later(
        _STEALING_SECONDS, lambda: asyncio.ensure_future(worker.shutdown())
    )
    try:
        yield
    finally:
        ending.cancel()
        await worker.shutdown()
        await running

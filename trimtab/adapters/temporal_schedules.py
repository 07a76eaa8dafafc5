"""The Temporal Schedules of models under watch: made, changed, paused, removed and listed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from trimtab.contracts import names
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.monitoring import MonitoringInput
from trimtab.contracts.ports import Unavailable
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import load_model
from trimtab.runtime.settings import Settings
from trimtab.runtime.temporal import connect, connect_config, ensure_search_attributes

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LETTING_GO: Final = 0.1
"""Seconds that the client's own threads need to let go of Python: it aborts if it ends before."""


@dataclass(frozen=True)
class Scheduled:
    """One model's schedule, as it stands."""

    model: str
    every: timedelta | None
    """None where somebody has given it other times than an interval."""
    paused: bool
    note: str
    upcoming: datetime | None
    last: datetime | None
    runs: int
    skipped: int
    """Runs left out because the one before was still under way."""
    fault: str = ""
    """Why it should be looked at; empty when all is well."""


class NoScheduleError(Exception):
    """There is no schedule of that model."""


@asynccontextmanager
async def opened(settings: Settings) -> "AsyncIterator[Schedules]":
    """The schedules of the configured namespace.

    Raises `Unavailable` where Temporal does not answer, now or meanwhile.
    """
    address = connect_config(settings)["target_host"]
    try:
        client = await connect(settings)
        yield Schedules(client)
    except RuntimeError as error:
        msg = (
            f"Temporal does not answer at {address}: {error}: start `trimtab up`, or correct"
            " TRIMTAB_TEMPORAL__ADDRESS"
        )
        raise Unavailable(msg) from error
    except RPCError as error:
        msg = f"Temporal at {address} refuses: {error.message.rstrip('.')}"
        if error.status is RPCStatusCode.NOT_FOUND:
            msg += (
                ": correct TRIMTAB_TEMPORAL__NAMESPACE, or run `temporal operator namespace create"
                f" --address {address} --namespace NAME`"
            )
        raise Unavailable(msg) from error
    finally:
        await asyncio.sleep(_LETTING_GO)


class Schedules:
    """Every `monitoring/<model>` of one namespace."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def put(self, request: MonitoringInput) -> str:
        """Create the schedule, or bring it up to date: "created", "updated" or "unchanged".

        A paused one stays paused.
        """
        await ensure_search_attributes(self._client)
        model = request.spec.name
        try:
            await self._client.create_schedule(
                names.schedule_id(model),
                _schedule(request),
                search_attributes=_attributes(model),
                rpc_timeout=timedelta(seconds=10),
            )
        except ScheduleAlreadyRunningError:
            return await self._update(request)
        return "created"

    async def pause(self, model: str, *, note: str) -> None:
        """Run no more until resumed; raises `NoScheduleError`."""
        await (await self._there(model)).pause(note=note)

    async def resume(self, model: str, *, note: str) -> None:
        """Run again; raises `NoScheduleError`."""
        await (await self._there(model)).unpause(note=note)

    async def remove(self, model: str) -> None:
        """Forget it; what it has started goes on. Raises `NoScheduleError`."""
        await (await self._there(model)).delete()

    async def every_one(self) -> list[Scheduled]:
        """All of them, by model."""
        found = [
            await self._look(each.id)
            async for each in await self._client.list_schedules()
            if each.id.startswith(names.SCHEDULE_PREFIX)
        ]
        return sorted((each for each in found if each), key=lambda each: each.model)

    async def one(self, model: str) -> Scheduled | None:
        """A model's schedule, or None."""
        return await self._look(names.schedule_id(model))

    async def served(self) -> bool:
        """Whether a worker waits for what schedules start."""
        answer = await self._client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self._client.namespace,
                task_queue=TaskQueue(name=names.MAIN_QUEUE),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            )
        )
        return bool(answer.pollers)

    async def _update(self, request: MonitoringInput) -> str:
        handle = self._client.get_schedule_handle(names.schedule_id(request.spec.name))
        there = await handle.describe()
        wanted = _schedule(request)
        if _timing(there.schedule) == _timing(wanted) and await self._input(there) == request:
            return "unchanged"

        def update(found: ScheduleUpdateInput) -> ScheduleUpdate:
            wanted.state = found.description.schedule.state
            return ScheduleUpdate(schedule=wanted)

        await handle.update(update)
        return "updated"

    async def _there(self, model: str) -> ScheduleHandle:
        handle = self._client.get_schedule_handle(names.schedule_id(model))
        try:
            await handle.describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise NoScheduleError(model) from error
            raise
        return handle

    async def _look(self, schedule_id: str) -> Scheduled | None:
        try:
            found = await self._client.get_schedule_handle(schedule_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:  # removed since it was listed
                return None
            raise
        info, state = found.info, found.schedule.state
        request = await self._input(found)
        model = schedule_id.removeprefix(names.SCHEDULE_PREFIX)
        return Scheduled(
            model=model,
            every=request.every if request else None,
            paused=state.paused,
            note=state.note or "",
            upcoming=None if state.paused else next(iter(info.next_action_times), None),
            last=info.recent_actions[-1].scheduled_at if info.recent_actions else None,
            runs=info.num_actions,
            skipped=info.num_actions_skipped_overlap,
            fault=_fault(model, request.spec if request else None),
        )

    async def _input(self, found: ScheduleDescription) -> MonitoringInput | None:
        """What its runs are started with; None where somebody else has made it."""
        action = found.schedule.action
        if (
            not isinstance(action, ScheduleActionStartWorkflow)
            or action.workflow != names.MONITORING
        ):
            return None
        try:
            (request,) = await self._client.data_converter.decode(
                list(action.args), [MonitoringInput]
            )
        except (RuntimeError, ValueError):  # of another version of Trimtab
            return None
        return request if isinstance(request, MonitoringInput) else None


def request_for(
    spec: ModelSpec, *, every: timedelta | None = None, lag: timedelta = timedelta(0)
) -> MonitoringInput:
    """What a model's runs are started with; by default as often as it says it is looked at."""
    often = every or spec.monitored_every or spec.window
    return MonitoringInput(spec=spec, every=often, anchor=spec.start or EPOCH, lag=lag)


def _schedule(request: MonitoringInput) -> Schedule:
    """Overlap skipped; after an outage the newest window that was missed is made up for."""
    model, every = request.spec.name, request.every
    return Schedule(
        action=ScheduleActionStartWorkflow(
            names.MONITORING,
            request,
            id=names.schedule_id(model),
            task_queue=names.MAIN_QUEUE,
            typed_search_attributes=_attributes(model),
            static_summary=f"{model}: judge the windows that are due",
        ),
        spec=ScheduleSpec(
            intervals=[
                ScheduleIntervalSpec(
                    every=every, offset=(request.anchor + request.lag - EPOCH) % every
                )
            ]
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every),
        state=ScheduleState(),
    )


def _timing(schedule: Schedule) -> tuple[object, ...]:
    """When it runs; an offset of nothing is none."""
    policy = schedule.policy
    intervals = [(each.every, each.offset or None) for each in schedule.spec.intervals]
    return intervals, policy.overlap, policy.catchup_window


def _attributes(model: str) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [SearchAttributePair(SearchAttributeKey.for_keyword(names.MODEL), model)]
    )


def _fault(model: str, scheduled: ModelSpec | None) -> str:
    again = f"run `trimtab schedule {model}` again"
    if scheduled is None:
        return f"it was not made by this version of Trimtab: {again}"
    try:
        now = load_model(model)
    except BadConfigurationError:
        return f"the model is not configured here: `trimtab schedule {model} --remove`"
    return "" if now == scheduled else f"the configuration has changed since: {again}"

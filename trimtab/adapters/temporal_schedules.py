"""Makes, changes, pauses, removes and lists the Temporal Schedules that monitor models."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    ScheduleAlreadyRunningError,
    ScheduleHandle,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from trimtab.adapters.monitoring_schedule import (
    build_schedule,
    build_search_attributes,
    decode_input,
    get_timing,
)
from trimtab.adapters.schedule_status import ScheduleStatus, build_status
from trimtab.adapters.temporal_connection import open_temporal
from trimtab.contracts import names
from trimtab.contracts.monitoring import MonitoringInput
from trimtab.runtime.settings import Settings
from trimtab.runtime.temporal import ensure_search_attributes, has_worker

_RPC_TIMEOUT: Final = timedelta(seconds=10)


class NoScheduleError(Exception):
    """There is no schedule of that model."""


@asynccontextmanager
async def open_schedules(settings: Settings) -> "AsyncIterator[ScheduleClient]":
    """Yield the schedules of the configured namespace.

    Raises:
        Unavailable: Temporal does not answer, now or in the block.
    """
    async with open_temporal(settings) as client:
        yield ScheduleClient(client)


class ScheduleClient:
    """Every `monitoring/<model>` of one namespace."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create_or_update(self, request: MonitoringInput) -> str:
        """Create the schedule or bring it up to date; return "created", "updated" or "unchanged".

        A paused one stays paused.
        """
        await ensure_search_attributes(self._client)
        model = request.spec.name
        try:
            await self._client.create_schedule(
                names.build_schedule_id(model),
                build_schedule(request),
                search_attributes=build_search_attributes(model),
                rpc_timeout=_RPC_TIMEOUT,
            )
        except ScheduleAlreadyRunningError:
            return await self._update(request)
        return "created"

    async def pause(self, model: str, *, note: str) -> None:
        """Let a schedule run no more until resumed.

        Raises:
            NoScheduleError: The model has none.
        """
        await (await self._find_handle(model)).pause(note=note)

    async def resume(self, model: str, *, note: str) -> None:
        """Let a paused schedule run again.

        Raises:
            NoScheduleError: The model has none.
        """
        await (await self._find_handle(model)).unpause(note=note)

    async def remove(self, model: str) -> None:
        """Remove a schedule; workflows that it has started go on.

        Raises:
            NoScheduleError: The model has none.
        """
        await (await self._find_handle(model)).delete()

    async def list_all(self) -> list[ScheduleStatus]:
        """Return all schedules, by model."""
        found = [
            await self._read_status(each.id)
            async for each in await self._client.list_schedules()
            if each.id.startswith(names.SCHEDULE_PREFIX)
        ]
        return sorted((each for each in found if each), key=lambda each: each.model)

    async def find(self, model: str) -> ScheduleStatus | None:
        """Return a model's schedule, or None."""
        return await self._read_status(names.build_schedule_id(model))

    async def has_worker(self) -> bool:
        """Return whether a worker waits for the workflows that schedules start."""
        return await has_worker(self._client, names.MAIN_QUEUE, activities=False)

    async def _update(self, request: MonitoringInput) -> str:
        handle = self._client.get_schedule_handle(names.build_schedule_id(request.spec.name))
        found = await handle.describe()
        wanted = build_schedule(request)
        same_times = get_timing(found.schedule) == get_timing(wanted)
        if same_times and await decode_input(self._client, found) == request:
            return "unchanged"

        def update(current: ScheduleUpdateInput) -> ScheduleUpdate:
            wanted.state = current.description.schedule.state
            return ScheduleUpdate(schedule=wanted)

        await handle.update(update)
        return "updated"

    async def _find_handle(self, model: str) -> ScheduleHandle:
        handle = self._client.get_schedule_handle(names.build_schedule_id(model))
        try:
            await handle.describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise NoScheduleError(model) from error
            raise
        return handle

    async def _read_status(self, schedule_id: str) -> ScheduleStatus | None:
        try:
            found = await self._client.get_schedule_handle(schedule_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:  # removed since it was listed
                return None
            raise
        return await build_status(self._client, schedule_id, found)

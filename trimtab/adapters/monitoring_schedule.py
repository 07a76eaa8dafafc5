"""Builds the Temporal Schedule that monitors a model, and reads its input back."""

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleDescription,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from trimtab.contracts import names
from trimtab.contracts.base import EPOCH
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.monitoring import MonitoringInput


def build_monitoring_input(
    spec: ModelSpec, *, every: timedelta | None = None, lag: timedelta = timedelta(0)
) -> MonitoringInput:
    """Return what a model's runs are started with.

    Args:
        spec: The model's configuration.
        every: Interval of the runs; None for the one that the configuration gives.
        lag: Time after a window's end until its rows are all there.
    """
    interval = every or spec.monitored_every or spec.window
    return MonitoringInput(spec=spec, every=interval, anchor=spec.start or EPOCH, lag=lag)


def build_schedule(request: MonitoringInput) -> Schedule:
    """Return a schedule that skips overlaps and, after an outage, runs the newest missed window."""
    model, every = request.spec.name, request.every
    return Schedule(
        action=ScheduleActionStartWorkflow(
            names.MONITORING,
            request,
            id=names.build_schedule_id(model),
            task_queue=names.MAIN_QUEUE,
            typed_search_attributes=build_search_attributes(model),
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


def get_timing(schedule: Schedule) -> tuple[object, ...]:
    """Return when a schedule runs, in a form that compares: an offset of 0 is None."""
    policy = schedule.policy
    intervals = [(each.every, each.offset or None) for each in schedule.spec.intervals]
    return intervals, policy.overlap, policy.catchup_window


def build_search_attributes(model: str) -> TypedSearchAttributes:
    """Return the search attributes of a schedule and of its runs."""
    return TypedSearchAttributes(
        [SearchAttributePair(SearchAttributeKey.for_keyword(names.MODEL), model)]
    )


async def decode_input(client: Client, found: ScheduleDescription) -> MonitoringInput | None:
    """Return what a schedule's runs are started with; None if Trimtab did not make it."""
    action = found.schedule.action
    if not isinstance(action, ScheduleActionStartWorkflow) or action.workflow != names.MONITORING:
        return None
    try:
        (request,) = await client.data_converter.decode(list(action.args), [MonitoringInput])
    except (RuntimeError, ValueError):  # made by another version of Trimtab
        return None
    return request if isinstance(request, MonitoringInput) else None

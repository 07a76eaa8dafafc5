"""Reads a Temporal Schedule back, as people see it: when it runs, and whether it is in order."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.client import Client, ScheduleDescription

from trimtab.adapters.monitoring_schedule import decode_input
from trimtab.contracts import names
from trimtab.contracts.model import ModelSpec
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import load_model_spec
from trimtab.runtime.paths import format_command


@dataclass(frozen=True)
class ScheduleStatus:
    """One model's schedule, as it stands."""

    model: str
    every: timedelta | None
    """None if somebody has given it other times than an interval."""
    paused: bool
    note: str
    upcoming: datetime | None
    last: datetime | None
    runs: int
    skipped: int
    """Runs left out because the one before was still under way."""
    fault: str = ""
    """Why somebody should look at it; empty when all is well."""


async def build_status(
    client: Client, schedule_id: str, found: ScheduleDescription
) -> ScheduleStatus:
    """Return the status of a schedule that Temporal has described."""
    info, state = found.info, found.schedule.state
    request = await decode_input(client, found)
    model = schedule_id.removeprefix(names.SCHEDULE_PREFIX)
    return ScheduleStatus(
        model=model,
        every=request.every if request else None,
        paused=state.paused,
        note=state.note or "",
        upcoming=None if state.paused else next(iter(info.next_action_times), None),
        last=info.recent_actions[-1].scheduled_at if info.recent_actions else None,
        runs=info.num_actions,
        skipped=info.num_actions_skipped_overlap,
        fault=_find_fault(model, request.spec if request else None),
    )


def _find_fault(model: str, scheduled: ModelSpec | None) -> str:
    again = f"run `{format_command('schedule', model)}` again"
    if scheduled is None:
        return f"it was not made by this version of Trimtab: {again}"
    try:
        configured = load_model_spec(model)
    except BadConfigurationError:
        remove = format_command("schedule", model, "--remove")
        return f"the model is not configured here: `{remove}`"
    return "" if configured == scheduled else f"the configuration has changed since: {again}"

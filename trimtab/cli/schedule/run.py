"""Runs `trimtab schedule`: creates, changes, removes and lists schedules."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from rich.console import Console
from rich.table import Table

from trimtab.adapters.monitoring_schedule import build_monitoring_input
from trimtab.adapters.schedule_status import ScheduleStatus
from trimtab.adapters.temporal_schedules import NoScheduleError, open_schedules
from trimtab.cli.console import print_command, print_wrapped
from trimtab.cli.durations import format_duration, format_iso_duration, parse_duration
from trimtab.cli.errors import ExitCode
from trimtab.contracts.model import MIN_MONITORING_INTERVAL
from trimtab.contracts.monitoring import MonitoringInput
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import load_model_spec
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import Settings, load_settings

_SOURCE_NOTE: Final = "by `trimtab schedule`"
_DONE: Final = {"--pause": "paused", "--resume": "resumed", "--remove": "removed"}


def run_schedule(
    name: str | None, *, every: str | None, lag: str | None, changes: Sequence[str]
) -> ExitCode:
    """Set the model's schedule, change it by the one option of `changes`, or list all schedules.

    Raises `BadConfigurationError` for options that exclude each other, and `Unavailable` where
    Temporal does not answer.
    """
    _check_options(name, changes, every=every, lag=lag)
    settings, console = load_settings(), Console()
    if name is None:
        asyncio.run(_list_schedules(settings, console))
    elif changes:
        asyncio.run(_change_schedule(settings, name, changes[0], console=console))
    else:
        request = _build_request(name, every=every, lag=lag)
        asyncio.run(_put_schedule(settings, request, console))
    return ExitCode.OK


def _check_options(
    name: str | None, changes: Sequence[str], *, every: str | None, lag: str | None
) -> None:
    times = [option for option, text in {"--every": every, "--lag": lag}.items() if text]
    given = [*changes, *times]
    if name is None and given:
        command = format_command("schedule", "MODEL", given[0])
        fault = f"{given[0]}: no model is named: write `{command}`"
        raise BadConfigurationError([fault])
    if len(changes) > 1 or (changes and times):
        raise BadConfigurationError([f"{' '.join(given)}: give one of these at a time"])


def _build_request(name: str, *, every: str | None, lag: str | None) -> MonitoringInput:
    spec = load_model_spec(name)
    interval = parse_duration(every, "--every") if every else None
    if interval is not None and interval < MIN_MONITORING_INTERVAL:
        fault = f"--every = {every}: write at least 1m: each run reads a window's rows"
        raise BadConfigurationError([fault])
    return build_monitoring_input(
        spec, every=interval, lag=parse_duration(lag, "--lag") if lag else timedelta(0)
    )


async def _put_schedule(settings: Settings, request: MonitoringInput, console: Console) -> None:
    model = request.spec.name
    with console.status("connecting to Temporal"):
        async with open_schedules(settings) as schedules:
            done = await schedules.create_or_update(request)
            now = await schedules.find(model)
            is_served = await schedules.has_worker()
    every = format_duration(request.every)
    console.print(f"Schedule of {model} {done}: every {every}.", highlight=False)
    if now and now.paused:
        console.print("It is paused. To resume it:")
        print_command(console, "schedule", model, "--resume")
    elif now and now.upcoming:
        next_run = _format_minute(now.upcoming)
        console.print(f"The next window is checked at {next_run} UTC.", highlight=False)
    if request.every < request.spec.window:
        console.print(
            f"Windows of {format_duration(request.spec.window)} overlap: the same drift is"
            f" announced once in {format_duration(request.spec.announcement_cooldown)}"
            " (announcement_cooldown).",
            highlight=False,
        )
    _warn_of_false_alarms(request, console)
    if not is_served:
        console.print("[yellow]No worker is running.[/] Run worker.py in a cluster, or here:")
        print_command(console, "up")


def _warn_of_false_alarms(request: MonitoringInput, console: Console) -> None:
    spec = request.spec
    calibrated_for = spec.monitored_every or spec.window
    if request.every < calibrated_for:
        console.print(
            "[yellow]Expect more false alarms than false_alarms_per_year ="
            f" {spec.false_alarms_per_year:g}:[/] the thresholds are set for a check every"
            f" {format_duration(calibrated_for)}. Write monitored_every:"
            f" {format_iso_duration(request.every)} into the configuration. It applies from the"
            " next trained version on.",
            highlight=False,
        )


async def _change_schedule(settings: Settings, name: str, flag: str, *, console: Console) -> None:
    with console.status("connecting to Temporal"):
        async with open_schedules(settings) as schedules:
            try:
                if flag == "--remove":
                    await schedules.remove(name)
                elif flag == "--pause":
                    await schedules.pause(name, note=_SOURCE_NOTE)
                else:
                    await schedules.resume(name, note=_SOURCE_NOTE)
            except NoScheduleError:
                fault = f"{name!r} has no schedule: `{format_command('schedule')}` lists all"
                raise BadConfigurationError([fault]) from None
    console.print(f"Schedule of {name} {_DONE[flag]}.", highlight=False)


async def _list_schedules(settings: Settings, console: Console) -> None:
    with console.status("connecting to Temporal"):
        async with open_schedules(settings) as schedules:
            found = await schedules.list_all()
    if found:
        console.print(_build_table(found))
        for each in found:
            if each.fault:
                print_wrapped(console, f"{each.model}: {each.fault}", style="yellow")
        return
    console.print("No model has a schedule yet. To add one:")
    print_command(console, "schedule", "MODEL", "--every", "1h")


def _build_table(found: Sequence[ScheduleStatus]) -> Table:
    table = Table()
    for heading in ("model", "every", "state", "next (UTC)", "last (UTC)", "runs"):
        table.add_column(heading, overflow="fold")
    for each in found:
        table.add_row(
            each.model,
            format_duration(each.every) if each.every else "?",
            _format_state(each),
            _format_minute(each.upcoming),
            _format_minute(each.last),
            f"{each.runs}, {each.skipped} skipped" if each.skipped else str(each.runs),
        )
    return table


def _format_state(each: ScheduleStatus) -> str:
    if not each.paused:
        return "runs"
    return f"paused: {each.note}" if each.note else "paused"


def _format_minute(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else "-"

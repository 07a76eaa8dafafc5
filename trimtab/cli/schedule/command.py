"""`trimtab schedule`: let a model be watched by itself, by a Temporal Schedule."""

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:  # importing Temporal's client takes a second, and `trimtab --help` needs none
    from rich.console import Console

    from trimtab.adapters.schedule_status import ScheduleStatus
    from trimtab.contracts.monitoring import MonitoringInput
    from trimtab.runtime.settings import Settings

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NOTE: Final = "by `trimtab schedule`"

Name = Annotated[
    str | None, typer.Argument(help="A configured model; without one, all schedules are listed.")
]
Every = Annotated[
    str | None,
    typer.Option(
        help="How often: 30m, 1h, 7d, or ISO 8601; left out, as the model's configuration says."
    ),
]
Lag = Annotated[
    str | None,
    typer.Option(help="How long after a window's end its rows have all arrived, such as 10m."),
]
Pause = Annotated[bool, typer.Option("--pause", help="Run no more until resumed.")]
Resume = Annotated[bool, typer.Option("--resume", help="Run again.")]
Remove = Annotated[bool, typer.Option("--remove", help="Forget the schedule.")]


def schedule(
    name: Name = None,
    every: Every = None,
    lag: Lag = None,
    pause: Pause = False,  # noqa: FBT002 - a flag of the command line
    resume: Resume = False,  # noqa: FBT002 - as above
    remove: Remove = False,  # noqa: FBT002 - as above
) -> None:
    """Have a model's windows judged by themselves, by a Temporal Schedule.

    Each run judges the window that ends at its time, on the workers of `trimtab up` or of a
    cluster. A run that is due while the one before is under way is skipped. The same command again
    changes nothing; another --every changes the schedule.
    """
    import asyncio  # noqa: PLC0415 - as slow as the command itself

    from rich.console import Console  # noqa: PLC0415 - as above

    from trimtab.cli.app import faults_told  # noqa: PLC0415 - cli.app imports this module
    from trimtab.runtime.settings import load_settings  # noqa: PLC0415 - as above

    flags = {"--pause": pause, "--resume": resume, "--remove": remove}
    asked = [flag for flag, given in flags.items() if given]
    with faults_told():
        _check(name, asked, every=every, lag=lag)
        settings, console = load_settings(), Console()
        if name is None:
            asyncio.run(_list(settings, console))
        elif asked:
            asyncio.run(_change(settings, name, asked[0], console=console))
        else:
            request = _request(name, every=every, lag=lag)
            asyncio.run(_put(settings, request, console))


def _check(name: str | None, asked: list[str], *, every: str | None, lag: str | None) -> None:
    from trimtab.runtime.errors import BadConfigurationError  # noqa: PLC0415 - see above

    times = [flag for flag, text in {"--every": every, "--lag": lag}.items() if text]
    if name is None and (asked or times):
        fault = (
            f"{(asked + times)[0]}: of which model? `trimtab schedule MODEL {(asked + times)[0]}`"
        )
        raise BadConfigurationError([fault])
    if len(asked) > 1 or (asked and times):
        fault = f"{' '.join(asked + times)}: these go one at a time"
        raise BadConfigurationError([fault])


def _request(name: str, *, every: str | None, lag: str | None) -> "MonitoringInput":
    from trimtab.adapters.monitoring_schedule import build_monitoring_input  # noqa: PLC0415 - see above
    from trimtab.contracts.model import MIN_MONITORING_INTERVAL  # noqa: PLC0415 - as above
    from trimtab.runtime.errors import BadConfigurationError  # noqa: PLC0415 - as above
    from trimtab.runtime.models import load_model_spec  # noqa: PLC0415 - as above

    spec = load_model_spec(name)
    often = span_of(every, "--every") if every else None
    if often is not None and often < MIN_MONITORING_INTERVAL:
        fault = f"--every = {every}: at least a minute, for each run reads a window's rows"
        raise BadConfigurationError([fault])
    return build_monitoring_input(
        spec, every=often, lag=span_of(lag, "--lag") if lag else timedelta(0)
    )


def span_of(text: str, option: str) -> timedelta:
    """The span that "90m", "1h30m", "7d" or "PT1H" means.

    Raises `BadConfigurationError` for anything else.
    """
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - see above

    from trimtab.runtime.errors import BadConfigurationError  # noqa: PLC0415 - as above

    parts = re.findall(r"(\d+)([smhdw])", text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(
            (timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta(0)
        )
    try:
        span = TypeAdapter(timedelta).validate_python(text)
    except ValidationError:
        span = timedelta(-1)
    if span < timedelta(0):
        fault = f"{option} = {text!r}: write a span such as 30m, 1h, 7d, or PT1H"
        raise BadConfigurationError([fault])
    return span


async def _put(settings: "Settings", request: "MonitoringInput", console: "Console") -> None:
    from trimtab.adapters.temporal_schedules import open_schedules  # noqa: PLC0415 - see above

    model = request.spec.name
    with console.status("reaching Temporal"):
        async with open_schedules(settings) as schedules:
            done = await schedules.create_or_update(request)
            now = await schedules.find(model)
            served = await schedules.has_worker()
    console.print(f"Schedule of {model} {done}: every {told(request.every)}.", highlight=False)
    if now and now.paused:
        console.print(f"It is paused: `trimtab schedule {model} --resume` lets it run.")
    elif now and now.upcoming:
        console.print(f"The next window is judged at {_minute(now.upcoming)} UTC.", highlight=False)
    if request.every < request.spec.window:
        console.print(
            f"Windows of {told(request.spec.window)} overlap: the same drift is announced once in"
            f" {told(request.spec.announcement_cooldown)} (announcement_cooldown).",
            highlight=False,
        )
    _warn_of_budget(request, console)
    if not served:
        console.print(
            "[yellow]No worker waits for it now:[/] start one with `trimtab up`, or in a cluster"
            " with `python worker.py`."
        )


def _warn_of_budget(request: "MonitoringInput", console: "Console") -> None:
    spec = request.spec
    counted = spec.monitored_every or spec.window
    if request.every < counted:
        console.print(
            f"[yellow]More false alarms than false_alarms_per_year = {spec.false_alarms_per_year:g}"
            f" are to be expected:[/] thresholds are for a look every {told(counted)}. Write"
            f" monitored_every: {_iso(request.every)} into the configuration; it holds from the"
            " next version trained on.",
            highlight=False,
        )


async def _change(settings: "Settings", name: str, flag: str, *, console: "Console") -> None:
    from trimtab.adapters.temporal_schedules import NoScheduleError, open_schedules  # noqa: PLC0415 - see above
    from trimtab.runtime.errors import BadConfigurationError  # noqa: PLC0415 - as above

    with console.status("reaching Temporal"):
        async with open_schedules(settings) as schedules:
            try:
                if flag == "--remove":
                    await schedules.remove(name)
                elif flag == "--pause":
                    await schedules.pause(name, note=f"paused {_NOTE}")
                else:
                    await schedules.resume(name, note=f"resumed {_NOTE}")
            except NoScheduleError:
                fault = f"{name!r} has no schedule: `trimtab schedule` lists those there are"
                raise BadConfigurationError([fault]) from None
    console.print(f"Schedule of {name} {flag.removeprefix('--').rstrip('e')}ed.", highlight=False)


async def _list(settings: "Settings", console: "Console") -> None:
    from trimtab.adapters.temporal_schedules import open_schedules  # noqa: PLC0415 - see above

    with console.status("reaching Temporal"):
        async with open_schedules(settings) as schedules:
            found = await schedules.list_all()
    if not found:
        console.print(
            "No model is watched by itself yet: `trimtab schedule MODEL --every 1h` begins it."
        )
        return
    _show(found, console)


def _show(found: "list[ScheduleStatus]", console: "Console") -> None:
    from rich.table import Table  # noqa: PLC0415 - see above

    table = Table()
    for heading in ("model", "every", "state", "next (UTC)", "last (UTC)", "runs", "look at"):
        table.add_column(heading, overflow="fold")
    for each in found:
        table.add_row(
            each.model,
            told(each.every) if each.every else "?",
            _state(each),
            _minute(each.upcoming),
            _minute(each.last),
            f"{each.runs}, {each.skipped} skipped" if each.skipped else str(each.runs),
            each.fault,
        )
    console.print(table)


def _state(each: "ScheduleStatus") -> str:
    if not each.paused:
        return "runs"
    return each.note if each.note.startswith("paused") else f"paused: {each.note}".rstrip(": ")


def told(span: timedelta) -> str:
    """A span as a person would type it, such as "1h30m"."""
    rest, parts = int(span.total_seconds()), []
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _iso(span: timedelta) -> str:
    """As configurations have it, such as PT1H."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - see above

    return str(TypeAdapter(timedelta).dump_python(span, mode="json"))


def _minute(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M}" if instant else "-"

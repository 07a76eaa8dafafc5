"""`trimtab doctor`: check configuration, data, machine and stack, and list every fault at once."""

import os
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

import typer

from trimtab.cli.doctor.check_result import Finding, State, fault, fine, note

if TYPE_CHECKING:  # what is checked takes seconds to import, and `trimtab --help` needs none of it
    from rich.console import Console

    from trimtab.contracts.decision import Limits
    from trimtab.runtime.settings import Settings

_STYLES = {State.FINE: "green", State.NOTE: "yellow", State.FAULT: "bold red"}


def doctor() -> None:
    """Check configuration, data and stack, and list every fault at once, each with its remedy.

    Looks at the settings, the policy, every model with its catalog entry and its data, the
    binaries and the disk, and at whatever servers are configured or running. Changes nothing.
    Exit code 1 where there is a fault.
    """
    from rich.console import Console  # noqa: PLC0415 - see above

    console = Console()
    with console.status("looking") as status:
        found = list(examine(say=status.update))
    _show(found, console)
    if any(finding.state is State.FAULT for finding in found):
        raise typer.Exit(1)


def examine(*, say: Callable[[str], None]) -> Iterator[Finding]:
    """Every check, one after the other; what hangs on something broken is left out."""
    say("reading settings and policy")
    limits = yield from _limits()
    settings = yield from _settings()
    yield from _models(limits, _with_registry(settings), say=say)
    if settings is not None:
        yield from _surroundings(settings, say=say)


def _with_registry(settings: "Settings | None") -> "Settings | None":
    """The settings where a registry answers; a silent one is told once, not for every model."""
    from trimtab.cli.doctor.stack_checks import check_mlflow  # noqa: PLC0415 - see above

    if settings is None or any(each.state is State.FAULT for each in check_mlflow(settings)):
        return None
    return settings


def _settings() -> Generator[Finding, None, "Settings | None"]:
    from trimtab.runtime.errors import BadConfigurationError  # noqa: PLC0415 - see above
    from trimtab.runtime.settings import find_unknown_variables, load_settings  # noqa: PLC0415 - see above

    try:
        settings = load_settings()
    except BadConfigurationError as error:
        yield from (fault("settings", said, "correct it there") for said in error.faults)
        return None
    yield fine("settings", f"complete; home is {settings.home.absolute()}")
    for name in find_unknown_variables(os.environ):
        yield note("settings", f"{name} is set and nobody reads it", "unset it, or correct it")
    return settings


def _limits() -> Generator[Finding, None, "Limits | None"]:
    from trimtab.runtime.errors import BadConfigurationError  # noqa: PLC0415 - see above
    from trimtab.runtime.models import compute_policy_hash, load_limits  # noqa: PLC0415 - see above

    try:
        limits = load_limits()
    except BadConfigurationError as error:
        yield from (fault("policy", said, "correct it there") for said in error.faults)
        return None
    yield fine("policy", f"complete; its hash begins with {compute_policy_hash(limits)[:12]}")
    return limits


def _models(
    limits: "Limits | None", settings: "Settings | None", *, say: Callable[[str], None]
) -> Iterator[Finding]:
    from trimtab.cli.doctor.model_checks import check_model  # noqa: PLC0415 - see above
    from trimtab.runtime.models import list_model_names  # noqa: PLC0415 - see above

    for name in list_model_names():
        say(f"looking at model {name}")
        yield from check_model(name, limits, settings)


def _surroundings(settings: "Settings", *, say: Callable[[str], None]) -> Iterator[Finding]:
    from trimtab.cli.doctor import machine_checks, stack_checks  # noqa: PLC0415 - see above

    for check in (
        machine_checks.check_disk,
        machine_checks.check_keys,
        machine_checks.check_binaries,
        stack_checks.check_temporal,
        stack_checks.check_redis,
        stack_checks.check_mlflow,
        stack_checks.check_chroma,
        stack_checks.check_analyst,
        stack_checks.check_langfuse,
    ):
        say(f"looking at {check.__name__.removeprefix('check_')}")
        yield from check(settings)


def _show(found: list[Finding], console: "Console") -> None:
    from rich.table import Table  # noqa: PLC0415 - see above
    from rich.text import Text  # noqa: PLC0415 - see above

    table = Table()
    for heading in ("what", "", "found", "remedy"):
        table.add_column(heading, overflow="fold")
    for finding in sorted(found, key=lambda each: list(State).index(each.state)):
        state = Text(finding.state.value, style=_STYLES[finding.state])
        table.add_row(Text(finding.thing), state, Text(finding.said), Text(finding.remedy))
    console.print(table)
    faults = sum(finding.state is State.FAULT for finding in found)
    console.print(f"{faults} fault{'s' if faults != 1 else ''}." if faults else "No fault.")

"""Runs `trimtab up`: starts the stack, and keeps worker and bridge running until Ctrl-C."""

import asyncio
import os
import sys
from contextlib import suppress
from functools import partial
from typing import Final

from rich.console import Console

from trimtab.cli.console import print_unbroken
from trimtab.cli.errors import ExitCode, InterruptionError
from trimtab.cli.signals import run_until_signal
from trimtab.runtime.embedded.children import ChildProcess
from trimtab.runtime.embedded.embedded_stack import EmbeddedStack
from trimtab.runtime.embedded.supervisor import keep_running
from trimtab.runtime.errors import StackError
from trimtab.runtime.paths import SHIPPED
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.stack_addresses import StackAddresses

FRONT_DOORS: Final = {"worker": "worker.py", "bridge": "starter.py"}
"""What runs beside the servers: name and file."""


def run_up(*, mlflow_ui: bool) -> ExitCode:
    """Run until a signal, which is how this is meant to end; raise `StackError` otherwise."""
    console = Console()
    settings = _apply_temporal_variables(load_settings())
    with suppress(InterruptionError):
        work = _run_stack(settings, mlflow_ui=mlflow_ui, console=console)
        asyncio.run(run_until_signal(work))
    console.print("Everything has been stopped.")
    return ExitCode.OK


def _apply_temporal_variables(settings: Settings) -> Settings:
    """Return the settings with TEMPORAL_ADDRESS and TEMPORAL_PROFILE, unless they name a server.

    A profile in Temporal's own configuration file does not count unless a variable names it.
    """
    if settings.temporal.address or settings.temporal.profile:
        return settings
    variables = {
        "address": os.environ.get("TEMPORAL_ADDRESS"),
        "profile": os.environ.get("TEMPORAL_PROFILE"),
    }
    return settings.model_copy(update={"temporal": settings.temporal.model_copy(update=variables)})


async def _run_stack(settings: Settings, *, mlflow_ui: bool, console: Console) -> None:
    """Run until cancelled; raise `StackError` when a part has ended for good."""
    with console.status("starting") as status:
        stack = EmbeddedStack(
            settings, mlflow_ui=mlflow_ui, usual_ports=True, progress=status.update
        )
        await stack.start()
    try:
        _print_addresses(stack.addresses, console)
        for displaced in stack.displaced_ports:
            console.print(f"Note: {displaced}.", style="yellow", highlight=False)
        await _keep_front_doors_running(stack, console)
    finally:
        with console.status("stopping"):
            await stack.stop()


async def _keep_front_doors_running(stack: EmbeddedStack, console: Console) -> None:
    def report_end(message: str) -> None:
        console.print(message, style="yellow", markup=False, highlight=False, soft_wrap=True)

    def start_front_door(name: str, file: str) -> ChildProcess:
        return stack.start_child(name, [sys.executable, str(SHIPPED / file)])

    doors = [
        keep_running(partial(start_front_door, name, file), report=report_end)
        for name, file in FRONT_DOORS.items()
    ]
    try:
        async with asyncio.TaskGroup() as group:
            for work in (*doors, stack.watch()):
                group.create_task(work)
    except* StackError as errors:
        raise errors.exceptions[0] from None


def _print_addresses(addresses: StackAddresses, console: Console) -> None:
    console.print("[bold]Trimtab is up[/]; Ctrl-C ends it")
    rows = {
        "Temporal Web UI": addresses.ui,
        "Temporal": addresses.temporal,
        "Redis": addresses.redis,
        "MLflow": addresses.tracking,
        "MLflow page": addresses.mlflow_ui,
        "Data and logs": str(addresses.home),
    }
    for name, address in rows.items():
        if address:
            print_unbroken(console, f"  {name:<15}  {address}")

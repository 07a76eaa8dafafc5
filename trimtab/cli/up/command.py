"""`trimtab up`: the embedded stack, worker and bridge, until Ctrl-C."""

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # importing Temporal's client takes a second, and `trimtab --help` needs none
    from rich.console import Console

    from trimtab.runtime.embedded.embedded_stack import EmbeddedStack
    from trimtab.runtime.settings import Settings
    from trimtab.runtime.stack_addresses import StackAddresses

PARTS = {"worker": "worker.py", "bridge": "starter.py"}
"""What runs beside the servers: name and front door."""


def up(
    mlflow_ui: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--mlflow-ui", help="Serve MLflow's own web page too.")
    ] = False,
) -> None:
    """Run everything on this machine: Temporal, a Redis stream, worker and bridge, until Ctrl-C.

    Data stays in the folder .trimtab and is found again by the next start. What the settings give
    an address to (such as TRIMTAB_REDIS__URL, or TEMPORAL_ADDRESS) is used as it is and not
    started.
    """
    import asyncio  # noqa: PLC0415 - a tenth of what `trimtab --help` takes

    from rich.console import Console  # noqa: PLC0415 - see above

    from trimtab.cli.app import faults_told  # noqa: PLC0415 - cli.app imports this module
    from trimtab.runtime.settings import load_settings  # noqa: PLC0415 - see above

    with faults_told():
        settings = _with_temporals_variables(load_settings())
        asyncio.run(_run_until_told(settings, mlflow_ui=mlflow_ui, console=Console()))


def _with_temporals_variables(settings: "Settings") -> "Settings":
    """TEMPORAL_ADDRESS and TEMPORAL_PROFILE count like ours; a profile lying in a file does not."""
    variables = {
        "address": os.environ.get("TEMPORAL_ADDRESS"),
        "profile": os.environ.get("TEMPORAL_PROFILE"),
    }
    if settings.temporal.address or settings.temporal.profile:
        return settings
    return settings.model_copy(update={"temporal": settings.temporal.model_copy(update=variables)})


async def _run_until_told(settings: "Settings", *, mlflow_ui: bool, console: "Console") -> None:
    import asyncio  # noqa: PLC0415 - as above

    running = asyncio.ensure_future(run(settings, mlflow_ui=mlflow_ui, console=console))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running
    console.print("Everything has been ended.")


async def run(settings: "Settings", *, mlflow_ui: bool, console: "Console") -> None:
    """Run until cancelled; raises `StackError` when a part ends for good."""
    from trimtab.runtime.embedded.embedded_stack import EmbeddedStack  # noqa: PLC0415 - see above

    with console.status("starting") as status:
        stack = EmbeddedStack(settings, mlflow_ui=mlflow_ui, progress=status.update)
        await stack.start()
    try:
        _show(stack.addresses, console=console)
        await _keep_up(stack, console=console)
    finally:
        with console.status("ending"):
            await stack.stop()


async def _keep_up(stack: "EmbeddedStack", *, console: "Console") -> None:
    import asyncio  # noqa: PLC0415 - as above

    from trimtab.runtime.embedded.supervisor import keep_running  # noqa: PLC0415 - see above
    from trimtab.runtime.errors import StackError  # noqa: PLC0415 - see above
    from trimtab.runtime.paths import SHIPPED  # noqa: PLC0415 - see above

    def tell(message: str) -> None:
        console.print(message, style="yellow", markup=False, highlight=False, soft_wrap=True)

    parts = [
        keep_running(
            lambda name=name, door=door: stack.start_child(  # type: ignore[misc]  # mypy cannot infer defaults
                name, [sys.executable, str(SHIPPED / door)]
            ),
            report=tell,
        )
        for name, door in PARTS.items()
    ]
    try:
        async with asyncio.TaskGroup() as group:
            for part in (*parts, stack.watch()):
                group.create_task(part)
    except* StackError as errors:
        raise errors.exceptions[0] from None


def _show(addresses: "StackAddresses", *, console: "Console") -> None:
    from rich.table import Table  # noqa: PLC0415 - see above

    table = Table(title="Trimtab is up; Ctrl-C ends it", title_justify="left", show_header=False)
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
            table.add_row(name, address)
    console.print(table, soft_wrap=True)

"""Opens Temporal for a command, and says in plain words why it cannot be reached."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trimtab.contracts.ports import Unavailable
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import Settings
from trimtab.runtime.temporal import connect_temporal, load_connect_config

_CLOSING_SECONDS: Final = 0.1
"""Time that the client's own threads need to let go of Python, which aborts if it ends before."""


@asynccontextmanager
async def open_temporal(settings: Settings) -> AsyncIterator[Client]:
    """Yield a client of the configured namespace.

    Raises:
        Unavailable: Temporal does not answer, now or in the block.
    """
    address = load_connect_config(settings)["target_host"]
    try:
        yield await connect_temporal(settings)
    except RuntimeError as error:
        msg = (
            f"Temporal does not answer at {address}: {error}: start `{format_command('up')}`, or"
            " correct TRIMTAB_TEMPORAL__ADDRESS"
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
        await asyncio.sleep(_CLOSING_SECONDS)

"""A control: the bridge, except that it acknowledges an entry before its incident is opened."""

import asyncio
import sys
from typing import Final

import starter
from trimtab.bridge.entry_handling import EntryHandler, HeldEntry

_PAUSE_SECONDS: Final = 1.0
"""Time between acknowledgement and start, in which a kill loses the event."""


def acknowledge_before_start() -> None:
    """Make the bridge of this process acknowledge first."""
    handle = EntryHandler.handle

    async def acknowledge_first(self: EntryHandler, held: HeldEntry) -> bool:
        await self._stream.acknowledge([held.entry.id])
        await asyncio.sleep(_PAUSE_SECONDS)
        return await handle(self, held)

    EntryHandler.handle = acknowledge_first  # type: ignore[method-assign]


if __name__ == "__main__":
    acknowledge_before_start()
    sys.exit(starter.main())

"""Reads the stream as one consumer of its group; nothing here is retried by the client."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from trimtab.bridge.stream_entry import (
    RawEntry,
    StreamEntry,
    decode_text,
    parse_entry_id,
    unpack_entries,
)
from trimtab.runtime.settings_sections import BridgeSettings, RedisSettings

READ_MARGIN: Final = timedelta(seconds=3)
"""Time by which the socket waits longer than a blocking read, so that it does not cut it off."""
_CONNECT_SECONDS: Final = 5.0
_BEGINNING: Final = "0-0"
_MAX_PENDING: Final = 4096
_MAX_TRIMMED: Final = 10_000


class GroupLostError(Exception):
    """The stream or the group has been deleted."""


class StreamConsumer:
    """Reads, keeps and acknowledges entries, and moves them to the dead letters."""

    def __init__(self, redis: Redis, *, names: RedisSettings, consumer: str) -> None:
        self._redis = redis
        self._stream = names.stream
        self._group = names.group
        self._dead_letters = names.dead_letters
        self._consumer = consumer
        self._cursor: Any = _BEGINNING

    @classmethod
    def connect(
        cls, url: str, *, names: RedisSettings, reading: BridgeSettings, consumer: str
    ) -> Self:
        """Return a consumer with connections of its own, which are made with the first call."""
        redis = Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=(reading.block + READ_MARGIN).total_seconds(),
            socket_connect_timeout=_CONNECT_SECONDS,
            client_name="trimtab-bridge",
        )
        return cls(redis, names=names, consumer=consumer)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def create_group(self) -> bool:
        """Create the group at the beginning of the stream; return False if it exists."""
        try:
            await self._redis.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if str(error).startswith("BUSYGROUP"):
                return False
            raise
        return True

    async def read_own_pending(self, *, after: str, count: int) -> list[StreamEntry]:
        """Return entries delivered to this consumer before and not acknowledged, oldest first."""
        with _translate_lost_group():
            reply = await self._redis.xreadgroup(
                self._group, self._consumer, {self._stream: after}, count=count
            )
        return await self._count_deliveries(unpack_entries(reply))

    async def claim_idle(
        self, *, idle: timedelta, count: int
    ) -> tuple[list[StreamEntry], list[str]]:
        """Claim entries that any consumer left idle for longer; return them, and ids found deleted.

        One call examines ten times count entries and the next goes on from there; an empty answer
        with nothing deleted does not mean that nothing is left.
        """
        with _translate_lost_group():
            self._cursor, claimed, deleted = await self._redis.xautoclaim(
                self._stream, self._group, self._consumer,
                min_idle_time=_to_milliseconds(idle), start_id=self._cursor, count=count,
            )  # fmt: skip
        entries = await self._count_deliveries(claimed)
        return entries, [entry_id.decode() for entry_id in deleted]

    @property
    def has_examined_all(self) -> bool:
        """Whether `claim_idle` has come to the end of the pending entries."""
        return decode_text(self._cursor) == _BEGINNING

    async def read_new(self, *, block: timedelta, count: int) -> list[StreamEntry]:
        """Return entries that no consumer has been given; wait for them for up to block."""
        with _translate_lost_group():
            reply = await self._redis.xreadgroup(
                self._group, self._consumer, {self._stream: ">"},
                count=count, block=_to_milliseconds(block),
            )  # fmt: skip
        entries = unpack_entries(reply)
        return [StreamEntry(decode_text(entry_id), fields, 1) for entry_id, fields in entries]

    async def renew_claims(self, deliveries: Mapping[str, int]) -> None:
        """Reset the idle time of these entries, and set how many deliveries of each count."""
        with _translate_lost_group():
            async with self._redis.pipeline(transaction=False) as pipe:
                for entry_id, count in deliveries.items():
                    pipe.xclaim(
                        self._stream, self._group, self._consumer, min_idle_time=0,
                        message_ids=[entry_id], idle=0, retrycount=count, justid=True,
                    )  # fmt: skip
                await pipe.execute()

    async def acknowledge(self, entry_ids: Sequence[str]) -> None:
        """Acknowledge entries: no consumer will be given them again."""
        await self._redis.xack(self._stream, self._group, *entry_ids)

    async def move_to_dead_letters(self, entry: StreamEntry, *, reason: str) -> None:
        """Add an entry to the dead letters and acknowledge it, both or neither.

        MULTI takes nothing back: the entry would be acknowledged where the letter cannot be added.
        So the key's type is checked first.

        Raises:
            ResponseError: The key of the dead letters holds something else.
        """
        kept_as = decode_text(await self._redis.type(self._dead_letters))
        if kept_as not in ("none", "stream"):
            msg = f"{self._dead_letters} holds a {kept_as} and no stream: rename or delete it"
            raise ResponseError(msg)
        letter: dict[Any, Any] = {
            "reason": reason,
            "raw": entry.raw,
            "id": entry.id,
            "deliveries": entry.deliveries,
            "at": datetime.now(UTC).isoformat(),
        }
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(self._dead_letters, letter)
            pipe.xack(self._stream, self._group, entry.id)
            await pipe.execute()

    async def is_pending(self, entry_id: str) -> bool:
        """Return whether the entry still waits to be acknowledged."""
        with _translate_lost_group():
            return bool(
                await self._redis.xpending_range(
                    self._stream, self._group, min=entry_id, max=entry_id, count=1
                )
            )

    async def trim_processed(self, *, keep: timedelta) -> int:
        """Delete entries older than keep that every group is done with; return their number."""
        oldest = datetime.now(UTC) - keep
        bounds = [(max(0, int(oldest.timestamp() * 1000)), 0)]
        for group in await self._redis.xinfo_groups(self._stream):
            bounds.append(parse_entry_id(group["last-delivered-id"]))
            if group["pending"]:
                summary = await self._redis.xpending(self._stream, group["name"])
                if summary["pending"]:
                    bounds.append(parse_entry_id(summary["min"]))
        time, number = min(bounds)
        return int(
            await self._redis.xtrim(
                self._stream, minid=f"{time}-{number}", approximate=True, limit=_MAX_TRIMMED
            )
        )

    async def _count_deliveries(self, delivered: Iterable[RawEntry]) -> list[StreamEntry]:
        entries = [(decode_text(entry_id), fields) for entry_id, fields in delivered]
        if not entries:
            return []
        pending = await self._redis.xpending_range(
            self._stream, self._group, min=entries[0][0], max=entries[-1][0],
            count=_MAX_PENDING, consumername=self._consumer,
        )  # fmt: skip
        times = {decode_text(item["message_id"]): int(item["times_delivered"]) for item in pending}
        return [
            StreamEntry(entry_id, fields, times.get(entry_id, 1)) for entry_id, fields in entries
        ]


@contextmanager
def _translate_lost_group() -> Iterator[None]:
    try:
        yield
    except ResponseError as error:
        if "NOGROUP" in str(error):
            raise GroupLostError(str(error)) from error
        raise


def _to_milliseconds(duration: timedelta) -> int:
    return max(1, int(duration.total_seconds() * 1000))

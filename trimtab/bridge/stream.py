"""The stream as one consumer of its group sees it; nothing here is retried behind our back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from trimtab.bridge.event_parsing import EVENT_FIELD
from trimtab.runtime.settings_sections import BridgeSettings, RedisSettings

SLACK: Final = timedelta(seconds=3)
"""How much longer than a blocking read the socket waits, lest it cut the read off."""
_BEGINNING: Final = "0-0"
_MOST_PENDING: Final = 4096
_MOST_TRIMMED: Final = 10_000


class GroupLostError(Exception):
    """The stream or the group has been deleted under us."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it was delivered."""

    id: str
    fields: dict[bytes, bytes]
    """Empty when the entry was deleted from the stream while pending."""
    deliveries: int
    """How often it has been delivered, this time included."""

    @property
    def published_at(self) -> datetime:
        """When it entered the stream, by the Redis server's clock."""
        return datetime.fromtimestamp(int(self.id.partition("-")[0]) / 1000, tz=UTC)

    @property
    def raw(self) -> bytes:
        """The event's bytes; where that field is missing, all fields as they were."""
        if EVENT_FIELD in self.fields:
            return self.fields[EVENT_FIELD]
        return b"\n".join(name + b"=" + value for name, value in self.fields.items())


class Stream:
    """Reads, keeps, acknowledges and buries entries."""

    def __init__(self, redis: Redis, *, names: RedisSettings, consumer: str) -> None:
        self._redis = redis
        self._stream = names.stream
        self._group = names.group
        self._dead_letters = names.dead_letters
        self._consumer = consumer
        self._cursor: Any = _BEGINNING

    @classmethod
    def open(
        cls, url: str, *, names: RedisSettings, reading: BridgeSettings, consumer: str
    ) -> Self:
        """A stream over connections of its own, which are made with the first call."""
        patience = (reading.block + SLACK).total_seconds()
        redis = Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=patience,
            socket_connect_timeout=5.0,
            client_name="trimtab-bridge",
        )
        return cls(redis, names=names, consumer=consumer)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def join(self) -> bool:
        """Create the group at the beginning of the stream; False when it was there."""
        try:
            await self._redis.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if str(error).startswith("BUSYGROUP"):
                return False
            raise
        return True

    async def own_pending(self, *, after: str, count: int) -> list[Entry]:
        """What was delivered to this consumer before and never acknowledged, oldest first."""
        with _group_lost():
            answer = await self._redis.xreadgroup(
                self._group, self._consumer, {self._stream: after}, count=count
            )
        return await self._counted(_entries(answer))

    async def claimed(self, *, idle: timedelta, count: int) -> tuple[list[Entry], list[str]]:
        """What other consumers (or we) left lying for longer than idle, and ids found deleted.

        One call looks at ten times count entries and the next goes on from there; an empty answer
        with nothing deleted does not mean that there is nothing left.
        """
        with _group_lost():
            self._cursor, claimed, deleted = await self._redis.xautoclaim(
                self._stream, self._group, self._consumer,
                min_idle_time=_milliseconds(idle), start_id=self._cursor, count=count,
            )  # fmt: skip
        return await self._counted(claimed), [entry_id.decode() for entry_id in deleted]

    @property
    def all_looked_at(self) -> bool:
        """Whether `claimed` has come to the end of what is pending."""
        return _text(self._cursor) == _BEGINNING

    async def fresh(self, *, block: timedelta, count: int) -> list[Entry]:
        """What nobody has been given yet; waits for up to block."""
        with _group_lost():
            answer = await self._redis.xreadgroup(
                self._group, self._consumer, {self._stream: ">"},
                count=count, block=_milliseconds(block),
            )  # fmt: skip
        return [Entry(_text(entry_id), fields, 1) for entry_id, fields in _entries(answer)]

    async def keep(self, deliveries: Mapping[str, int]) -> None:
        """Say that we still work on these, and how often they count as delivered."""
        with _group_lost():
            async with self._redis.pipeline(transaction=False) as pipe:
                for entry_id, count in deliveries.items():
                    pipe.xclaim(
                        self._stream, self._group, self._consumer, min_idle_time=0,
                        message_ids=[entry_id], idle=0, retrycount=count, justid=True,
                    )  # fmt: skip
                await pipe.execute()

    async def acknowledge(self, entry_ids: Sequence[str]) -> None:
        """Nobody will be given these again."""
        await self._redis.xack(self._stream, self._group, *entry_ids)

    async def bury(self, entry: Entry, *, reason: str) -> None:
        """Move an entry to the dead letters, whole or not at all.

        MULTI takes nothing back: the entry would be acknowledged where the letter cannot be added.
        """
        kept_as = _text(await self._redis.type(self._dead_letters))
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
        """Whether the entry still waits to be acknowledged."""
        with _group_lost():
            return bool(
                await self._redis.xpending_range(
                    self._stream, self._group, min=entry_id, max=entry_id, count=1
                )
            )

    async def trim(self, *, keep: timedelta) -> int:
        """Delete what every group has done with and is older than keep; how many entries."""
        oldest = datetime.now(UTC) - keep
        bounds = [(max(0, int(oldest.timestamp() * 1000)), 0)]
        for group in await self._redis.xinfo_groups(self._stream):
            bounds.append(_order(group["last-delivered-id"]))
            if group["pending"]:
                summary = await self._redis.xpending(self._stream, group["name"])
                if summary["pending"]:
                    bounds.append(_order(summary["min"]))
        time, number = min(bounds)
        return int(
            await self._redis.xtrim(
                self._stream, minid=f"{time}-{number}", approximate=True, limit=_MOST_TRIMMED
            )
        )

    async def _counted(self, delivered: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> list[Entry]:
        entries = [(_text(entry_id), fields) for entry_id, fields in delivered]
        if not entries:
            return []
        pending = await self._redis.xpending_range(
            self._stream, self._group, min=entries[0][0], max=entries[-1][0],
            count=_MOST_PENDING, consumername=self._consumer,
        )  # fmt: skip
        times = {_text(item["message_id"]): int(item["times_delivered"]) for item in pending}
        return [Entry(entry_id, fields, times.get(entry_id, 1)) for entry_id, fields in entries]


@contextmanager
def _group_lost() -> Iterator[None]:
    try:
        yield
    except ResponseError as error:
        if "NOGROUP" in str(error):
            raise GroupLostError(str(error)) from error
        raise


def _entries(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:  # noqa: ANN401 - redis-py's
    return list(answer[0][1]) if answer else []


def _text(entry_id: Any) -> str:  # noqa: ANN401 - bytes, though redis-py says more
    return entry_id.decode() if isinstance(entry_id, bytes) else str(entry_id)


def _order(entry_id: bytes | str) -> tuple[int, int]:
    time, _, number = _text(entry_id).partition("-")
    return int(time), int(number)


def _milliseconds(span: timedelta) -> int:
    return max(1, int(span.total_seconds() * 1000))

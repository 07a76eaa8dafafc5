"""The Redis stream of events, for processes that publish to it, and its dead letters."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import Settings
from trimtab.runtime.stack_addresses import find_redis_url

REDIS_TIMEOUT_SECONDS: Final = 10.0
"""Time for one answer of the server."""
_PAGE_SIZE: Final = 1000


@dataclass(frozen=True)
class DeadLetter:
    """An entry that the bridge moved to the dead letters."""

    id: str
    """Id in the stream of dead letters."""
    reason: str
    raw: bytes
    """The event as it was received."""
    deliveries: int
    at: str
    """Time of the move, ISO 8601."""


@contextmanager
def connect_stream(settings: Settings) -> Iterator[redis.Redis]:
    """Yield a client of the configured server, or of the stack that runs in the same home.

    The client retries nothing: a retried XADD makes two entries.

    Raises:
        Unavailable: There is no server, or it does not answer, now or in the block.
    """
    url = find_redis_url(settings)
    if url is None:
        up = format_command("up")
        msg = f"redis.url is not set and no embedded stack runs: set it, or start `{up}`"
        raise Unavailable(msg)
    try:
        with redis.Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        ) as server:
            yield server
    except redis.RedisError as error:
        msg = f"the stream {settings.redis.stream!r} does not answer: {error}: check redis.url"
        raise Unavailable(msg) from error


def list_dead_letters(settings: Settings, *, limit: int) -> tuple[list[DeadLetter], int]:
    """Return the newest dead letters, newest first, and how many there are in all."""
    with connect_stream(settings) as server:
        found: Any = server.xrevrange(settings.redis.dead_letters, count=limit)
        letters = [_parse_letter(*entry) for entry in found]
        return letters, int(server.xlen(settings.redis.dead_letters))


def republish_dead_letter(settings: Settings, letter_id: str) -> str:
    """Put a dead letter's event back into the stream, remove the letter, return the entry's id.

    Raises:
        Refused: There is no such letter.
    """
    listing = format_command("events", "dead")
    with connect_stream(settings) as server:
        try:
            found: Any = server.xrange(settings.redis.dead_letters, letter_id, letter_id)
        except redis.ResponseError as error:
            msg = f"{letter_id!r} is no id such as 1795500021063-0: `{listing}` lists them"
            raise Refused(msg) from error
        if not found:
            msg = f"no dead letter {letter_id!r}: `{listing}` lists them"
            raise Refused(msg)
        return _republish(server, settings, _parse_letter(*found[0]))


def republish_all_dead_letters(settings: Settings) -> int:
    """Put the events of all current dead letters back into the stream; return their number."""
    count = 0
    with connect_stream(settings) as server:
        newest: Any = server.xrevrange(settings.redis.dead_letters, count=1)
        while newest:  # letters that come back meanwhile are newer and stay
            found: Any = server.xrange(
                settings.redis.dead_letters, "-", newest[0][0], count=_PAGE_SIZE
            )
            if not found:
                break
            for entry in found:
                _republish(server, settings, _parse_letter(*entry))
            count += len(found)
    return count


def _republish(server: redis.Redis, settings: Settings, letter: DeadLetter) -> str:
    with server.pipeline(transaction=True) as transaction:
        transaction.xadd(settings.redis.stream, {"event": letter.raw})
        transaction.xdel(settings.redis.dead_letters, letter.id)
        added, _ = transaction.execute()
    return str(added.decode())


def _parse_letter(letter_id: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    return DeadLetter(
        id=letter_id.decode(),
        reason=fields.get(b"reason", b"").decode(errors="replace"),
        raw=fields.get(b"raw", b""),
        deliveries=int(fields.get(b"deliveries", b"0")),
        at=fields.get(b"at", b"").decode(errors="replace"),
    )

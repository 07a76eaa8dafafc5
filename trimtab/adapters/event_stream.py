"""The Redis server with the stream of events, for whoever publishes to it, and its dead letters."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.settings import Settings
from trimtab.runtime.stack_addresses import running_stack

TIMEOUT: Final = 10.0
"""Seconds for one answer of the server."""
_PAGE: Final = 1000


@dataclass(frozen=True)
class DeadLetter:
    """What the bridge put aside."""

    id: str
    """In the stream of dead letters."""
    reason: str
    raw: bytes
    """The event as it came."""
    deliveries: int
    at: str
    """When it was put aside, ISO 8601."""


@contextmanager
def connected(settings: Settings) -> Iterator[redis.Redis]:
    """The configured server, or that of the stack which runs in the same home.

    The client retries nothing: a retried XADD makes two entries. Raises `Unavailable`.
    """
    try:
        with redis.Redis.from_url(
            _url(settings),
            retry=Retry(NoBackoff(), 0),
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
        ) as server:
            yield server
    except redis.RedisError as error:
        msg = f"the stream {settings.redis.stream!r} does not answer: {error}: check redis.url"
        raise Unavailable(msg) from error


def newest_letters(settings: Settings, *, most: int) -> tuple[list[DeadLetter], int]:
    """At most so many dead letters, the newest first, and how many there are."""
    with connected(settings) as server:
        found: Any = server.xrevrange(settings.redis.dead_letters, count=most)
        return [_letter(*each) for each in found], int(server.xlen(settings.redis.dead_letters))


def publish_again(settings: Settings, letter_id: str) -> str:
    """Put a dead letter's event back into the stream, and remove the letter: its new id.

    Raises `Refused` where there is no such letter.
    """
    with connected(settings) as server:
        try:
            found: Any = server.xrange(settings.redis.dead_letters, letter_id, letter_id)
        except redis.ResponseError as error:
            msg = f"{letter_id!r} is no id such as 1795500021063-0: `trimtab events dead` tells all"
            raise Refused(msg) from error
        if not found:
            msg = f"no dead letter {letter_id!r}: `trimtab events dead` tells all"
            raise Refused(msg)
        return _put_back(server, settings, _letter(*found[0]))


def publish_all_again(settings: Settings) -> int:
    """Put the events of all dead letters there are now back; how many."""
    count = 0
    with connected(settings) as server:
        newest: Any = server.xrevrange(settings.redis.dead_letters, count=1)
        while newest:  # those that come back meanwhile are later ones
            found: Any = server.xrange(settings.redis.dead_letters, "-", newest[0][0], count=_PAGE)
            if not found:
                break
            for each in found:
                _put_back(server, settings, _letter(*each))
            count += len(found)
    return count


def _put_back(server: redis.Redis, settings: Settings, letter: DeadLetter) -> str:
    with server.pipeline(transaction=True) as both:
        both.xadd(settings.redis.stream, {"event": letter.raw})
        both.xdel(settings.redis.dead_letters, letter.id)
        added, _ = both.execute()
    return str(added.decode())


def _letter(letter_id: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    return DeadLetter(
        id=letter_id.decode(),
        reason=fields.get(b"reason", b"").decode(errors="replace"),
        raw=fields.get(b"raw", b""),
        deliveries=int(fields.get(b"deliveries", b"0")),
        at=fields.get(b"at", b"").decode(errors="replace"),
    )


def _url(settings: Settings) -> str:
    if settings.redis.url is not None:
        return str(settings.redis.url)
    stack = running_stack(settings.home)
    if stack is None:
        msg = "redis.url is not set and no embedded stack runs: set it, or start `trimtab up`"
        raise Unavailable(msg)
    return stack.redis

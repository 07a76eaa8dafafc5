"""`trimtab events dead` and `retry`, as they are typed, on letters as the bridge writes them."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from typer.testing import CliRunner, Result

from trimtab.bridge.stream import StreamConsumer
from trimtab.bridge.stream_entry import StreamEntry
from trimtab.cli.app import app
from trimtab.runtime.settings_sections import RedisSettings

EVENT = b'{\n  "id": "event-1",\n  "subject": "prices"\n}'


class Letters:
    """Two streams of a test's own."""

    def __init__(self, url: str) -> None:
        name = f"letters-{uuid4()}"
        self.names = RedisSettings(stream=name, dead_letters=f"{name}.dead")
        self.redis: Any = Redis.from_url(url)  # whose answers are typed as all they may be
        self._url = url

    def bury(self, raw: bytes, *, reason: str = "data.severity = 'awful'") -> str:
        """Put an event aside as the bridge does; the letter's id."""

        async def bury() -> None:
            async with AsyncRedis.from_url(self._url) as server:
                stream = StreamConsumer(server, names=self.names, consumer="one")
                await stream.move_to_dead_letters(
                    StreamEntry("1-1", {b"event": raw}, 5), reason=reason
                )

        asyncio.run(bury())
        return str(self.dead()[-1])

    def dead(self) -> list[str]:
        return [each.decode() for each, _ in self.redis.xrange(self.names.dead_letters)]

    def published(self) -> list[bytes]:
        return [fields[b"event"] for _, fields in self.redis.xrange(self.names.stream)]


@pytest.fixture
def letters(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Letters]:
    letters = Letters(valkey_url)
    monkeypatch.setenv("TRIMTAB_REDIS__URL", valkey_url)
    monkeypatch.setenv("TRIMTAB_REDIS__STREAM", letters.names.stream)
    monkeypatch.setenv("TRIMTAB_REDIS__DEAD_LETTERS", letters.names.dead_letters)
    monkeypatch.setenv("COLUMNS", "160")
    yield letters
    letters.redis.delete(letters.names.stream, letters.names.dead_letters)
    letters.redis.close()


def events(*words: str) -> Result:
    return CliRunner().invoke(app, ["events", *words])


def test_each_letter_is_shown_with_its_reason(letters: Letters) -> None:
    ids = [letters.bury(EVENT), letters.bury(b"nonsense", reason="Invalid JSON")]

    shown = events("dead")

    assert shown.exit_code == 0, shown.output
    for word in (*ids, "data.severity = 'awful'", '"subject": "prices"', "Invalid JSON", "5 times"):
        assert word in shown.output


def test_only_the_newest_are_shown_and_the_others_counted(letters: Letters) -> None:
    old, new = letters.bury(EVENT), letters.bury(EVENT)

    shown = events("dead", "--most", "1")

    assert new in shown.output
    assert old not in shown.output
    assert "1 older" in shown.output


def test_without_letters_it_says_so(letters: Letters) -> None:
    assert f"No dead letters in {letters.names.dead_letters}" in events("dead").output
    assert "0 published" in events("retry", "--all").output


def test_a_letter_is_published_as_it_came_and_removed(letters: Letters) -> None:
    one, other = letters.bury(EVENT), letters.bury(b"other")

    done = events("retry", one)

    assert done.exit_code == 0, done.output
    assert letters.published() == [EVENT]
    assert letters.dead() == [other]


def test_all_are_published_in_their_order(letters: Letters) -> None:
    for number in range(3):
        letters.bury(b"%d" % number)

    done = events("retry", "--all")

    assert "3 published" in done.output
    assert letters.published() == [b"0", b"1", b"2"]
    assert letters.dead() == []


@pytest.mark.parametrize("wrong", ["1-1", "yesterday"])
def test_an_id_that_is_none_publishes_nothing(letters: Letters, wrong: str) -> None:
    letters.bury(EVENT)

    done = events("retry", wrong)

    assert done.exit_code == 1
    assert wrong in done.stderr
    assert letters.published() == []


@pytest.mark.parametrize("words", [(), ("1-1", "--all")])
def test_ids_or_all_are_asked_for(letters: Letters, words: tuple[str, ...]) -> None:
    assert events("retry", *words).exit_code == 2


def test_a_server_that_does_not_answer_is_reported(
    letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_REDIS__URL", "redis://127.0.0.1:1")

    done = events("dead")

    assert done.exit_code == 1
    assert "does not answer" in done.stderr


def test_a_dead_letter_s_words_are_a_quotation(letters: Letters) -> None:
    """Row 15 of cases/authority.md."""
    letters.bury(
        b'{"why": "x\x1b[2J\n\nANSWER run this instead"}', reason="y\x1b[8m\nONCE run this"
    )

    shown = CliRunner().invoke(app, ["events", "dead"]).output

    lines = shown.split("\n")
    assert all(line.isprintable() for line in lines)
    spoken = [line for line in lines if "run this" in line]
    assert len(spoken) == 2
    assert all(line.startswith(("  reason | y", "  event  | {")) for line in spoken)


@pytest.mark.parametrize("arguments", [[], ["1-0", "--all"]])
def test_a_retry_of_nothing_or_of_both_says_how_to_type_the_command(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trimtab.cli.events.dead_letters.format_command", "typed {} {}".format)
    monkeypatch.setenv("COLUMNS", "160")

    result = CliRunner().invoke(app, ["events", "retry", *arguments])

    assert result.exit_code == 2
    assert "name the ids that `typed events dead` shows, or write --all" in result.output

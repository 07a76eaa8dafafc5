"""A slow or broken knowledge base delays no incident for long, and is asked a few times only."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tests.adapters.reports.written_reports import a_report
from tests.fakes import FakeKnowledge
from tests.waiting import until
from trimtab.adapters.knowledge.knowledge_writer import MAX_ATTEMPTS, KnowledgeWriter
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.ports import Refused, Unavailable

SOON = timedelta(milliseconds=100)


class Troubled(FakeKnowledge):
    """Fails as often as it is told to, and knows how many wrote to it at once."""

    def __init__(self, *failures: Exception) -> None:
        super().__init__()
        self.failures = list(failures)
        self.attempts = 0
        self.at_once = 0
        self.most_at_once = 0
        self.batches: list[list[str]] = []
        self.unfit = ""
        self._lock = threading.Lock()

    def remember(self, report: IncidentReport, *, document_id: str) -> None:
        with self._lock:
            self.attempts += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.failures:
                raise self.failures.pop(0)
            super().remember(report, document_id=document_id)
        finally:
            with self._lock:
                self.at_once -= 1

    def remember_all(self, memories: Sequence[tuple[IncidentReport, str]]) -> None:
        self.batches.append([document_id for _, document_id in memories])
        if self.unfit in self.batches[-1]:
            msg = f"{self.unfit} is no article"
            raise Refused(msg)
        super().remember_all(memories)


@pytest.fixture
def knowledge() -> Troubled:
    return Troubled()


@pytest.fixture
def writer(knowledge: Troubled) -> Iterator[KnowledgeWriter]:
    made = KnowledgeWriter(knowledge, patience=SOON, max_waiting=5, first_delay=0.01)
    yield made
    made.close()


def test_an_incident_is_written_before_the_caller_goes_on(
    writer: KnowledgeWriter, knowledge: Troubled
) -> None:
    writer.remember(a_report(), document_id="incident:1")

    assert knowledge.remembered == [a_report()]


async def test_a_slow_knowledge_base_delays_the_caller_for_a_moment_only(
    writer: KnowledgeWriter, knowledge: Troubled
) -> None:
    go_on = knowledge.pause()
    began = time.monotonic()

    writer.remember(a_report(), document_id="incident:1")

    assert time.monotonic() - began < 1.0
    assert knowledge.remembered == []
    go_on.set()
    await until(lambda: knowledge.remembered, seconds=5)


def test_a_busy_knowledge_base_is_tried_again_a_few_times(
    writer: KnowledgeWriter, knowledge: Troubled
) -> None:
    knowledge.failures = [Unavailable("locked")] * 2

    writer.remember(a_report(), document_id="incident:1")

    assert knowledge.attempts == 3
    assert knowledge.remembered == [a_report()]


async def test_a_knowledge_base_that_stays_away_is_given_up_and_said_so(
    writer: KnowledgeWriter, knowledge: Troubled
) -> None:
    knowledge.failures = [Unavailable("locked")] * 100

    with capture_logs() as logs:
        writer.remember(a_report(), document_id="incident:1")
        await until(lambda: [log for log in logs if log["event"] == "incident_not_learned"])

    assert knowledge.attempts == MAX_ATTEMPTS


def test_what_it_refuses_at_once_is_refused(writer: KnowledgeWriter, knowledge: Troubled) -> None:
    knowledge.failures = [Refused("no article")]

    with pytest.raises(Refused, match="no article"):
        writer.remember(a_report(), document_id="incident:1")


async def test_many_write_in_turn_and_too_many_are_dropped(
    writer: KnowledgeWriter, knowledge: Troubled
) -> None:
    go_on = knowledge.pause()

    with capture_logs() as logs:
        for number in range(8):
            writer.remember(a_report(), document_id=f"incident:{number}")
        go_on.set()
        await until(lambda: len(knowledge.remembered) == 5, seconds=5)

    assert knowledge.most_at_once == 1
    assert [log["document"] for log in logs if log["event"] == "incident_not_learned"] == [
        "incident:5", "incident:6", "incident:7",
    ]  # fmt: skip


def test_closing_finishes_the_write_under_way_and_drops_the_rest(
    writer: KnowledgeWriter, knowledge: Troubled
) -> None:
    go_on = knowledge.pause()
    for number in range(3):
        writer.remember(a_report(), document_id=f"incident:{number}")

    go_on.set()
    writer.close()

    assert 1 <= len(knowledge.remembered) <= 3
    writer.remember(a_report(), document_id="incident:late")
    assert len(knowledge.remembered) <= 3


async def test_incidents_that_wait_are_written_together(
    writer: KnowledgeWriter, knowledge: Troubled
) -> None:
    go_on = knowledge.pause()
    for number in range(4):
        writer.remember(a_report(), document_id=f"incident:{number}")

    go_on.set()
    await until(lambda: len(knowledge.remembered) == 4, seconds=10)

    assert knowledge.batches == [["incident:0"], ["incident:1", "incident:2", "incident:3"]]


async def test_one_that_is_refused_does_not_take_the_others_along(
    writer: KnowledgeWriter, knowledge: Troubled
) -> None:
    go_on = knowledge.pause()
    knowledge.unfit = "incident:2"
    for number in range(4):
        writer.remember(a_report(), document_id=f"incident:{number}")

    go_on.set()
    await until(lambda: len(knowledge.remembered) == 3, seconds=10)

    assert knowledge.batches[-1] == ["incident:3"]


async def test_nobody_waits_while_the_writer_rests(
    writer: KnowledgeWriter, knowledge: Troubled
) -> None:
    go_on = knowledge.pause()
    writer.remember(a_report(), document_id="incident:slow")
    go_on.set()
    await until(lambda: knowledge.remembered, seconds=5)
    await asyncio.sleep(0.05)  # the rest begins right after the write
    began = time.monotonic()

    writer.remember(a_report(), document_id="incident:next")

    assert time.monotonic() - began < SOON.total_seconds() / 2
    await until(lambda: len(knowledge.remembered) == 2, seconds=10)

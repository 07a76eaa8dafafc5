import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.worker import Worker

from tests.runtime.correlated import Correlated, CorrelatedChild, note, note_in_thread
from trimtab.runtime.correlation import bind_correlation_id, get_correlation_id
from workflows import options


class Heard(logging.Handler):
    """The message of each line, and the id that was bound when it was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: set[tuple[str, str | None]] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.add((str(record.msg).split(" (", maxsplit=1)[0], get_correlation_id()))


@pytest.fixture
def heard() -> Iterator[Heard]:
    handler = Heard()
    loggers = [workflow.logger.base_logger, activity.logger.base_logger]
    for logger in loggers:
        logger.addHandler(handler)
    yield handler
    for logger in loggers:
        logger.removeHandler(handler)


async def run(client: Client, *, correlation_id: str | None, attribute: str | None = None) -> None:
    """One workflow from start to end, with every handler called; its cache is off."""
    queue = str(uuid4())
    attributes = TypedSearchAttributes(
        [SearchAttributePair(options.CORRELATION_ID_KEY, attribute)] if attribute else []
    )
    with ThreadPoolExecutor(2) as executor:
        async with Worker(
            client, task_queue=queue, workflows=[Correlated, CorrelatedChild],
            activities=[note, note_in_thread], activity_executor=executor,
            max_cached_workflows=0,
        ):  # fmt: skip
            with bind_correlation_id(correlation_id):
                handle = await client.start_workflow(
                    "Correlated", id=queue, task_queue=queue, search_attributes=attributes
                )
            await handle.execute_update("change")
            await handle.query("ask")
            await handle.signal("tell")
            await handle.result()


async def test_every_line_of_an_incident_has_its_id(temporal_client: Client, heard: Heard) -> None:
    await run(temporal_client, correlation_id="event-7")

    assert heard.lines == {
        (what, "event-7")
        for what in (
            "workflow", "signal", "query", "update", "child", "sync activity", "async activity"
        )
    }  # fmt: skip


async def test_a_workflow_started_by_hand_is_known_by_its_search_attribute(
    temporal_client: Client, heard: Heard
) -> None:
    await run(temporal_client, correlation_id=None, attribute="event-8")

    assert {bound for _, bound in heard.lines} == {"event-8"}


async def test_without_an_id_everything_works_the_same(
    temporal_client: Client, heard: Heard
) -> None:
    await run(temporal_client, correlation_id=None)

    assert {bound for _, bound in heard.lines} == {None}

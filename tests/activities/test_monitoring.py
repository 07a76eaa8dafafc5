from collections.abc import Mapping
from datetime import timedelta

import pytest
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.monitoring import MonitoringActivities
from tests.builders import NOW, an_event
from trimtab.contracts.drift import Severity
from trimtab.contracts.monitoring import SuppressionReason, WindowOrder
from trimtab.contracts.ports import Refused, Unavailable

ORDER = WindowOrder(model="parking", start=NOW - timedelta(days=7), end=NOW, as_of=NOW)
QUIET: dict[str, JsonValue] = {"rows": 900, "event": None, "finding": None, "note": "no drift"}


class Pipelines:
    """Answers or fails as the test says, and remembers the request."""

    def __init__(self, answer: dict[str, JsonValue] | Exception) -> None:
        self.answer, self.asked = answer, dict[str, JsonValue]()

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        self.asked = {"pipeline": pipeline, **params}
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_it_runs_the_pipeline_on_the_window_and_passes_little_on() -> None:
    event = an_event()
    pipelines = Pipelines(
        {
            **QUIET,
            "note": "drift: an event was published",
            "event": event.model_dump(mode="json"),
            "finding": event.data.model_dump(mode="json"),
        }
    )

    judge = MonitoringActivities(pipelines=pipelines).judge_window
    answer = await ActivityEnvironment().run(judge, ORDER)

    assert pipelines.asked["pipeline"] == "monitoring"
    assert pipelines.asked["end"] == pipelines.asked["as_of"] == NOW.isoformat()
    assert (answer.rows, answer.event_id, answer.announced) == (900, "event-1", True)
    assert answer.severity is Severity.HIGH
    assert len(answer.model_dump_json()) < 500


async def test_what_is_held_back_says_why() -> None:
    reason = SuppressionReason.ALREADY_ANNOUNCED
    suppressed: dict[str, JsonValue] = {
        "why": "announced yesterday",
        "suppression": {"reason": reason.value},
    }
    pipelines = Pipelines({**QUIET, "note": "recorded", **suppressed})

    judge = MonitoringActivities(pipelines=pipelines).judge_window
    answer = await ActivityEnvironment().run(judge, ORDER)

    assert (answer.announced, answer.event_id, answer.why) == (False, None, "announced yesterday")
    assert answer.suppression is reason


async def test_a_model_without_a_champion_is_not_tried_again() -> None:
    judge = MonitoringActivities(pipelines=Pipelines(Refused("no champion"))).judge_window

    with pytest.raises(ApplicationError, match="no champion") as raised:
        await ActivityEnvironment().run(judge, ORDER)

    assert raised.value.non_retryable


async def test_a_stream_that_is_away_is_tried_again() -> None:
    judge = MonitoringActivities(pipelines=Pipelines(Unavailable("no Redis"))).judge_window

    with pytest.raises(Unavailable):
        await ActivityEnvironment().run(judge, ORDER)

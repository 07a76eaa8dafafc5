"""Looking closer gives one citable item, of the deliberation's own model and window."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.inspection import (
    MAX_DOCUMENT_LENGTH,
    InspectionActivities,
    InspectionContext,
    InspectionTarget,
)
from tests.builders import a_window
from tests.fakes import FakeKnowledge
from trimtab.contracts.evidence import Document, DocumentKind, EvidenceItem, EvidenceSource
from trimtab.contracts.evidence_ids import build_segment_id

DISTRIBUTION: dict[str, Any] = {
    "feature": "Occupancy",
    "bins": ["[0, 100)", "[100, 200)", "[200, 300)", "[300, 400)"],
    "reference": [0.4, 0.3, 0.2, 0.1],
    "current": [0.1, 0.3, 0.2, 0.4],
}
SEGMENT: dict[str, Any] = {
    "feature": "SystemCodeNumber",
    "segment": "BHM<CC>\n",
    "metric": "r2",
    "reference": None,
    "current": 0.71234,
    "rows": 120,
}


class OnePipeline:
    """Answers every request alike, and remembers it."""

    def __init__(self, **outputs: JsonValue) -> None:
        self.outputs = dict(outputs)
        self.params: Mapping[str, JsonValue] = {}

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        self.params = {"pipeline": pipeline, **params}
        return self.outputs


def activities(pipeline: OnePipeline, *documents: Document) -> InspectionActivities:
    return InspectionActivities(pipelines=pipeline, knowledge=FakeKnowledge(*documents))


def a_context() -> InspectionContext:
    window = a_window()
    return InspectionContext(
        state=InspectionTarget(model="parking", start=window.start, end=window.end)
    )


async def test_a_column_is_described_by_the_bins_that_moved_most() -> None:
    pipeline = OnePipeline(distribution=DISTRIBUTION)

    item: EvidenceItem = await ActivityEnvironment().run(
        activities(pipeline).inspect_feature, "Occupancy", a_context()
    )

    assert (item.id, item.source) == ("inspect:Occupancy", EvidenceSource.INSPECTION)
    assert item.column == "Occupancy"
    assert item.value == 0.3
    assert "[0, 100) from 40.0% to 10.0% of rows, [300, 400) from 10.0% to 40.0%" in item.statement
    assert pipeline.params == {
        "pipeline": "distribution",
        "model": "parking",
        "feature": "Occupancy",
        "start": "2026-11-13T12:00:00+00:00",
        "end": "2026-11-20T12:00:00+00:00",
    }


async def test_a_segment_is_described_by_the_metric_before_and_now() -> None:
    pipeline = OnePipeline(segment=SEGMENT)

    item: EvidenceItem = await ActivityEnvironment().run(
        activities(pipeline).inspect_segment, "SystemCodeNumber", "BHM", a_context()
    )

    assert item.id == build_segment_id("SystemCodeNumber", SEGMENT["segment"])
    assert item.column == "SystemCodeNumber"
    assert "is 0.7123, and was not known in the reference" in item.statement
    assert pipeline.params["segment"] == "BHM"


def test_a_document_is_read_in_one_line_and_not_without_end() -> None:
    document = Document(
        id="runbook/a",
        kind=DocumentKind.RUNBOOK,
        title="A",
        text="one\ntwo\n" * 400,
        similarity=1.0,
    )

    item = ActivityEnvironment().run(
        activities(OnePipeline(), document).read_document, "runbook/a", a_context()
    )

    assert item.id == "document:runbook/a"
    assert item.statement.startswith("A: one two one")
    assert len(item.statement) == MAX_DOCUMENT_LENGTH


def test_a_document_that_is_not_there_is_refused() -> None:
    reading = activities(OnePipeline()).read_document

    with pytest.raises(ApplicationError, match="no document 'x'") as caught:
        ActivityEnvironment().run(reading, "x", a_context())

    assert caught.value.non_retryable


def test_the_context_is_the_wire_form_of_adks_snapshot() -> None:
    wire = {
        "state": {
            "model": "parking",
            "start": "2026-11-13T12:00:00Z",
            "end": "2026-11-20T12:00:00Z",
        },
        "function_call_id": "adk-1",
    }

    assert InspectionContext.model_validate(wire) == a_context()

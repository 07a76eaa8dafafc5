"""Golden histories replay: a change of workflow code that breaks running incidents shows here."""

import asyncio
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.workflows.world import ENDINGS, HISTORIES
from workflows.drift_response import DriftResponseWorkflow
from workflows.remediation import RemediationWorkflow


@pytest.mark.parametrize("path", sorted(HISTORIES.glob("*.json")), ids=lambda path: path.stem)
async def test_the_history_replays(path: Path) -> None:
    history = WorkflowHistory.from_json(path.stem, await asyncio.to_thread(path.read_text))
    replayer = Replayer(
        workflows=[DriftResponseWorkflow, RemediationWorkflow],
        data_converter=pydantic_data_converter,
    )

    await replayer.replay_workflow(history)


def test_every_ending_has_a_golden_history() -> None:
    recorded = {path.name.split(".")[0] for path in HISTORIES.glob("*.incident.json")}

    assert set(ENDINGS) <= recorded

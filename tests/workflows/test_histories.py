"""Golden histories replay: a change of workflow code that breaks running incidents shows here."""

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.workflows.golden import HISTORIES, read_golden
from tests.workflows.world import GOLDEN
from workflows.drift_response import DriftResponseWorkflow
from workflows.remediation import RemediationWorkflow

RECORDED = sorted(path.stem for path in HISTORIES.glob("*.json"))


@pytest.mark.parametrize("name", RECORDED)
async def test_the_history_replays(name: str) -> None:
    replayer = Replayer(
        workflows=[DriftResponseWorkflow, RemediationWorkflow],
        data_converter=pydantic_data_converter,
    )

    await replayer.replay_workflow(read_golden(name))


def test_every_way_that_an_incident_can_go_has_a_golden_history() -> None:
    assert {name.partition(".")[0] for name in RECORDED} == set(GOLDEN)

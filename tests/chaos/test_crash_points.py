"""A worker that is killed at every effect and every line of the log loses and repeats nothing."""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.crash_points import CrashMoment
from tests.chaos.crash_run import prepare_home, run_with_crashes

EXPECTED: Final = {
    "retrained": {
        CrashMoment.BEFORE: 11,
        CrashMoment.DURING: 4,
        CrashMoment.AFTER: 11,
        CrashMoment.UNACKNOWLEDGED: 12,
    },
    "rolled_back": {
        CrashMoment.BEFORE: 9,
        CrashMoment.DURING: 4,
        CrashMoment.AFTER: 9,
        CrashMoment.UNACKNOWLEDGED: 10,
    },
    "undone": {
        CrashMoment.BEFORE: 12,
        CrashMoment.DURING: 5,
        CrashMoment.AFTER: 12,
        CrashMoment.UNACKNOWLEDGED: 14,
    },
}
"""Number of points at which the worker of each incident dies; one may be met twice in one life."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("scenario", EXPECTED)
async def test_a_worker_that_dies_at_every_effect_repeats_and_loses_none(
    mlflow_template: Path, tmp_path: Path, scenario: str
) -> None:
    """Row 6: six of six incidents were dead after a kill right behind a line on disk.

    Each moment has an incident and servers of its own. They wait most of the time, so all four run
    at once.
    """
    homes = {
        moment: prepare_home(tmp_path / moment.value, scenario, template=mlflow_template)
        for moment in CrashMoment
    }

    runs = await asyncio.gather(
        *(run_with_crashes(scenario, moment, home, seconds=800) for moment, home in homes.items())
    )

    assert {run.moment: run.faults for run in runs} == dict.fromkeys(CrashMoment, ())
    for run in runs:
        assert len(run.points) == len(run.lives) >= EXPECTED[scenario][run.moment] - 1


async def test_without_the_effect_key_a_killed_retraining_makes_two_versions(
    mlflow_template: Path, tmp_path: Path
) -> None:
    """The control: a judge that finds nothing here could find nothing above either."""
    home = prepare_home(tmp_path / "home", "retrained", template=mlflow_template)

    run = await run_with_crashes(
        "retrained", CrashMoment.AFTER, home, only="version", without="key"
    )

    assert run.points == ("version",)
    assert any("happened 2 times" in fault for fault in run.faults)

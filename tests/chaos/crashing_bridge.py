"""The real bridge, which dies once around each start of a workflow and each acknowledgement.

python -m tests.chaos.crashing_bridge HOME MOMENT
"""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import starter
from tests.chaos.crash_points import CrashMoment, CrashPoints
from trimtab.bridge.stream import StreamConsumer
from trimtab.bridge.workflow_starter import WorkflowStarter
from trimtab.contracts.drift import DriftEvent


def add_points(points: CrashPoints) -> None:
    """Put the points around the bridge's two effects."""
    start, acknowledge = WorkflowStarter.start, StreamConsumer.acknowledge

    async def start_or_die(
        self: WorkflowStarter, event: DriftEvent, *, published_at: datetime
    ) -> bool:
        points.reach("start", CrashMoment.BEFORE)
        new = await start(self, event, published_at=published_at)
        points.reach("start", CrashMoment.AFTER)
        return new

    async def acknowledge_or_die(self: StreamConsumer, entry_ids: Sequence[str]) -> None:
        points.reach("acknowledgement", CrashMoment.BEFORE)
        await acknowledge(self, entry_ids)
        points.reach("acknowledgement", CrashMoment.AFTER)

    WorkflowStarter.start = start_or_die  # type: ignore[method-assign]
    StreamConsumer.acknowledge = acknowledge_or_die  # type: ignore[method-assign]


if __name__ == "__main__":
    if "careless" in sys.argv:  # a control
        from tests.chaos.careless_bridge import acknowledge_before_start

        acknowledge_before_start()
    add_points(CrashPoints(Path(sys.argv[1]) / "deaths", moment=CrashMoment(sys.argv[2])))
    sys.exit(starter.main())

"""Holds the audit log against the registry and Temporal, as `trimtab audit reconcile` does.

It takes no input, changes nothing, and does no harm whoever starts it.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from temporalio import activity

from activities.errors import translate_errors
from trimtab.contracts.ports import IncidentSearch, LogComparer
from trimtab.contracts.reconciliation import ComparedLog, ReconciliationReport

MAX_DISCREPANCIES: Final = 200
"""Discrepancies that a report lists: a history carries two megabytes."""


def _read_clock() -> datetime:
    return datetime.now(UTC)


class ReconciliationActivities:
    """The activity of the schedule `reconciliation/log`."""

    def __init__(
        self,
        *,
        log: LogComparer,
        incidents: IncidentSearch,
        clock: Callable[[], datetime] = _read_clock,
    ) -> None:
        self._log = log
        self._incidents = incidents
        self._clock = clock

    @activity.defn
    @translate_errors
    async def reconcile_log(self) -> ReconciliationReport:
        """Return where the log disagrees with the world, twice in a row."""
        found = await self._compare()
        if found.discrepancies:
            found = (await self._compare()).confirm(found)
        findings = found.list_findings()
        return ReconciliationReport(
            at=self._clock(),
            chains=len(found.statuses),
            discrepancies=findings[:MAX_DISCREPANCIES],
            not_listed=len(findings[MAX_DISCREPANCIES:]),
        )

    async def _compare(self) -> ComparedLog:
        workflows = await self._incidents.list_workflows()
        return await asyncio.to_thread(self._log.compare, workflows, now=self._clock())

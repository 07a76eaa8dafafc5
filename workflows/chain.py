"""Keeps the audit chain of one incident: which entry comes next, and what it follows.

The workflow numbers the entries and holds the tip; so any number of workers may write them.
"""

import asyncio
from datetime import datetime

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.audit import AuditActivities
    from trimtab.contracts.audit import GENESIS, AuditAppend, AuditEntry, Gate, TipSearch
    from trimtab.contracts.drift import DriftEvent
    from trimtab.contracts.remediation import ActionOrder
    from workflows.options import READ, RECORD

Moment = tuple[Gate, str, dict[str, JsonValue]]
"""Which gate, who acted, and what there is to say about it."""


class AuditChain:
    """The chain as its workflow knows it; child workflows carry it on and hand it back."""

    def __init__(
        self, subject: DriftEvent | ActionOrder, *, sequence: int = 0, tip: str = GENESIS
    ) -> None:
        self._incident, self._model, self._correlation_id = _names(subject)
        self._noted: list[tuple[datetime, Moment]] = []
        self._turn = asyncio.Lock()
        self.sequence = sequence
        """Number of the next entry: also how many there are."""
        self.tip = tip
        """Hash of the last line written."""

    def note(self, gate: Gate, actor: str, detail: dict[str, JsonValue]) -> None:
        """Remember a moment, with its time, to be written by the next `record`."""
        self._noted.append((workflow.now(), (gate, actor, detail)))

    async def record(self, *moments: Moment) -> None:
        """Write what was noted and these moments, in one go; returns when they are on disk.

        A cancellation meanwhile takes effect afterwards, for the tip must be known.
        """
        for moment in moments:
            self.note(*moment)
        writing = asyncio.ensure_future(self._write())
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await writing
            raise

    def resume(self, *, sequence: int, tip: str) -> None:
        """Carry on after a child workflow that wrote to the same chain."""
        self.sequence, self.tip = sequence, tip

    async def find_tip(self) -> None:
        """Look up where the chain stands, after a child workflow that ended without telling."""
        end = await workflow.execute_activity_method(
            AuditActivities.find_tip,
            TipSearch(incident=self._incident, model=self._model, tip=self.tip),
            summary="Find the end of the audit chain",
            **READ,
        )
        self.resume(sequence=end.entries, tip=end.tip)

    async def _write(self) -> None:
        async with self._turn:
            if not self._noted:
                return
            noted, self._noted = self._noted, []
            entries = tuple(
                self._entry(at, moment, sequence=self.sequence + place)
                for place, (at, moment) in enumerate(noted)
            )
            self.tip = await workflow.execute_local_activity_method(
                AuditActivities.record,
                AuditAppend(entries=entries, tip=self.tip),
                summary="Record " + ", ".join(entry.gate for entry in entries),
                **RECORD,
            )
            self.sequence += len(entries)

    def _entry(self, at: datetime, moment: Moment, *, sequence: int) -> AuditEntry:
        gate, actor, detail = moment
        return AuditEntry(
            incident=self._incident,
            model=self._model,
            correlation_id=self._correlation_id,
            sequence=sequence,
            gate=gate,
            at=at,
            actor=actor,
            detail=detail,
        )


def _names(subject: DriftEvent | ActionOrder) -> tuple[str, str, str]:
    if isinstance(subject, DriftEvent):
        return subject.id, subject.subject, subject.correlationid
    return subject.event_id, subject.spec.name, subject.correlation_id

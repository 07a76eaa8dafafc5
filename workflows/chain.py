"""Keeps the audit chain of one incident: the next entry's number, and the hash that it follows.

The workflow numbers the entries and holds the tip, so any number of workers may write them. On a
replay the tips come from the history, not from the file. After a reset the history and the file
disagree; then the log says where the chain goes on, and the workflow goes on there.
"""

import asyncio
from datetime import datetime
from typing import Final, NamedTuple

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.audit import AuditActivities
    from trimtab.contracts.audit import GENESIS, AuditAppend, AuditEntry, Gate, TipSearch
    from trimtab.contracts.drift import DriftEvent
    from trimtab.contracts.remediation import ActionOrder
    from workflows.options import READ, RECORD

TRIMTAB: Final = "trimtab"
"""Actor of the entries on what the workflows did."""
POLICY: Final = "policy"
"""Actor of the entries on what the policy decided."""


class PendingEntry(NamedTuple):
    """An entry before it gets its number and its place in the chain."""

    gate: Gate
    actor: str
    detail: dict[str, JsonValue]


class AuditChain:
    """The chain as its workflow knows it; child workflows continue it and hand it back."""

    def __init__(
        self, subject: DriftEvent | ActionOrder, *, sequence: int = 0, tip: str = GENESIS
    ) -> None:
        self._incident, self._model, self._correlation_id = _identify(subject)
        self._pending: list[tuple[datetime, PendingEntry]] = []
        self._turn = asyncio.Lock()
        self.sequence = sequence
        """Number of the next entry, and of the entries written so far."""
        self.tip = tip
        """Hash of the last line written."""

    def note(self, entry: PendingEntry, *, at: datetime | None = None) -> None:
        """Keep an entry, with its time or now, until the next `record` writes it."""
        self._pending.append((at or workflow.now(), entry))

    async def record(self, *entries: PendingEntry) -> None:
        """Write the noted entries and these, and return when they are on disk.

        A cancellation takes effect after the write. The write itself is never interrupted: it may
        have reached the disk, and without its result the workflow would not know the new tip.
        """
        for entry in entries:
            self.note(entry)
        writing = asyncio.ensure_future(self._write())
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await writing
            raise

    def resume(self, *, sequence: int, tip: str) -> None:
        """Continue after a child workflow that wrote to the same chain."""
        self.sequence, self.tip = sequence, tip

    async def find_tip(self) -> None:
        """Look up the chain's end after a child workflow that ended without reporting it."""
        end = await workflow.execute_activity_method(
            AuditActivities.find_tip,
            TipSearch(incident=self._incident, model=self._model, tip=self.tip),
            summary="Find the end of the audit chain",
            **READ,
        )
        self.resume(sequence=end.entries, tip=end.tip)

    async def _write(self) -> None:
        # Signal handlers note entries while a write is awaited. The lock keeps a second write from
        # starting before the first one has returned the tip that the second one follows.
        async with self._turn:
            if not self._pending:
                return
            pending, self._pending = self._pending, []
            entries = tuple(
                self._build_entry(at, entry, sequence=self.sequence + offset)
                for offset, (at, entry) in enumerate(pending)
            )
            end = await workflow.execute_local_activity_method(
                AuditActivities.record,
                AuditAppend(entries=entries, tip=self.tip),
                summary="Record " + ", ".join(entry.gate for entry in entries),
                **RECORD,
            )
            # The chain may be longer than this workflow knew: see `AuditActivities.record`.
            written = self.sequence + len(entries)
            self.resume(sequence=written if end.entries is None else end.entries, tip=end.tip)

    def _build_entry(self, at: datetime, entry: PendingEntry, *, sequence: int) -> AuditEntry:
        return AuditEntry(
            incident=self._incident,
            model=self._model,
            correlation_id=self._correlation_id,
            sequence=sequence,
            gate=entry.gate,
            at=at,
            actor=entry.actor,
            detail=entry.detail,
        )


def _identify(subject: DriftEvent | ActionOrder) -> tuple[str, str, str]:
    """Return event id, model and correlation id."""
    if isinstance(subject, DriftEvent):
        return subject.id, subject.subject, subject.correlationid
    return subject.event_id, subject.spec.name, subject.correlation_id

"""The audit activities pass entries on and find the end of a chain."""

from datetime import UTC, datetime

import pytest
from temporalio.exceptions import ApplicationError

from activities.audit import AuditActivities
from trimtab.contracts.audit import (
    GENESIS,
    AuditAppend,
    AuditEntry,
    AuditLine,
    ChainEnd,
    Gate,
    TipSearch,
)
from trimtab.contracts.ports import Refused


class Log:
    """Hashes are the sequence, 64 digits wide."""

    def __init__(self) -> None:
        self.kept: list[AuditLine] = []

    def append(self, request: AuditAppend) -> str:
        if request.tip != (self.kept[-1].hash if self.kept else GENESIS):
            msg = "the entries do not follow the tip"
            raise Refused(msg)
        for entry in request.entries:
            line = AuditLine(entry=entry, previous=GENESIS, hash=f"{entry.sequence + 1:064}")
            self.kept.append(line)
        return self.kept[-1].hash

    def lines(self, incident: str, *, model: str | None = None) -> list[AuditLine]:
        return self.kept


def an_append(sequence: int, *, tip: str = GENESIS) -> AuditAppend:
    entry = AuditEntry(
        incident="e-1",
        model="parking",
        correlation_id="c-1",
        sequence=sequence,
        gate=Gate.OPENED,
        at=datetime(2026, 11, 23, tzinfo=UTC),
        actor="trimtab",
        detail={},
    )
    return AuditAppend(entries=(entry,), tip=tip)


def test_recording_gives_the_new_tip() -> None:
    activities = AuditActivities(log=Log())

    tip = activities.record(an_append(0))

    assert tip == f"{1:064}"


def test_entries_that_do_not_follow_are_not_tried_again() -> None:
    with pytest.raises(ApplicationError) as caught:
        AuditActivities(log=Log()).record(an_append(1, tip="a" * 64))

    assert caught.value.non_retryable


def test_the_end_of_a_chain_is_found_from_any_earlier_tip() -> None:
    activities = AuditActivities(log=Log())
    first = activities.record(an_append(0))
    last = activities.record(an_append(1, tip=first))

    for tip in (GENESIS, first, last):
        search = TipSearch(incident="e-1", model="parking", tip=tip)
        assert activities.find_tip(search) == ChainEnd(entries=2, tip=last)


def test_a_chain_that_lost_its_tip_is_not_carried_on() -> None:
    activities = AuditActivities(log=Log())

    with pytest.raises(ApplicationError, match="no longer holds") as caught:
        activities.find_tip(TipSearch(incident="e-1", model="parking", tip="a" * 64))

    assert caught.value.non_retryable

"""The audit activities pass entries on and find the end of a chain."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.audit import AuditActivities
from trimtab.contracts import names
from trimtab.contracts.audit import (
    GENESIS,
    AuditAppend,
    AuditEntry,
    AuditLine,
    ChainEnd,
    Gate,
    RecordedEnd,
    TipSearch,
)
from trimtab.contracts.ports import Refused


class Log:
    """Hashes are the sequence, 64 digits wide."""

    def __init__(self) -> None:
        self.kept: list[AuditLine] = []

    def append(self, request: AuditAppend) -> ChainEnd:
        if request.tip != (self.kept[-1].hash if self.kept else GENESIS):
            msg = "the entries do not follow the tip"
            raise Refused(msg)
        for entry in request.entries:
            line = AuditLine(entry=entry, previous=GENESIS, hash=f"{entry.sequence + 1:064}")
            self.kept.append(line)
        return ChainEnd(entries=len(self.kept), tip=self.kept[-1].hash)

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


def called_by(
    workflow_type: str | None = names.DRIFT_RESPONSE,
    workflow_id: str | None = "drift-response/parking/e-1",
    *,
    local: bool = True,
) -> ActivityEnvironment:
    """Return where an activity runs that this workflow has called."""
    environment = ActivityEnvironment()
    environment.info = replace(
        environment.info, workflow_type=workflow_type, workflow_id=workflow_id, is_local=local
    )
    return environment


def record(request: AuditAppend, log: Log | None = None) -> RecordedEnd:
    return called_by().run(AuditActivities(log=log or Log()).record, request)


def find_tip(search: TipSearch, log: Log) -> ChainEnd:
    return called_by(local=False).run(AuditActivities(log=log).find_tip, search)


def test_recording_gives_the_new_end() -> None:
    assert record(an_append(0)) == RecordedEnd(tip=f"{1:064}", entries=1)


def test_a_history_of_an_earlier_release_holds_the_tip_alone() -> None:
    assert RecordedEnd.model_validate("a" * 64) == RecordedEnd(tip="a" * 64)


def test_entries_that_do_not_follow_are_not_tried_again() -> None:
    with pytest.raises(ApplicationError) as caught:
        record(an_append(1, tip="a" * 64))

    assert caught.value.non_retryable


@pytest.mark.parametrize(
    "caller",
    [
        called_by(None, None, local=False),
        called_by(local=False),
        called_by("InventedWorkflow"),
        called_by(workflow_id="drift-response/parking/e-2"),
        called_by(workflow_id="drift-response/other/e-1"),
        called_by(names.REMEDIATION, "remediation/other"),
        called_by(names.REMEDIATION, "drift-response/parking/e-1"),
        called_by(names.DELIBERATION, "deliberation/parking/e-1"),
    ],
)
def test_nobody_but_the_incidents_own_workflows_writes_its_chain(
    caller: ActivityEnvironment,
) -> None:
    log = Log()

    with pytest.raises(ApplicationError, match="answers") as caught:
        caller.run(AuditActivities(log=log).record, an_append(0))

    assert caught.value.non_retryable
    assert log.kept == []


def test_a_remediation_continues_a_chain_that_authorises_it() -> None:
    log, remediation = Log(), called_by(names.REMEDIATION, "remediation/parking")
    first = an_append(0).entries[0].model_copy(update={"gate": Gate.AUTHORISED})
    tip = record(AuditAppend(entries=(first,), tip=GENESIS), log).tip

    assert remediation.run(AuditActivities(log=log).record, an_append(1, tip=tip)).entries == 2


def test_a_remediation_that_no_line_authorises_writes_nothing() -> None:
    """Whoever starts one by hand would chain invented lines with the real key."""
    log, remediation = Log(), called_by(names.REMEDIATION, "remediation/parking")
    tip = record(an_append(0), log).tip

    with pytest.raises(ApplicationError, match="authorised no remediation"):
        remediation.run(AuditActivities(log=log).record, an_append(1, tip=tip))

    assert len(log.kept) == 1


def test_nobody_but_the_incidents_own_workflows_reads_its_tip() -> None:
    search = TipSearch(incident="e-1", model="parking", tip=GENESIS)

    for caller in (called_by(None, None), called_by(workflow_id="drift-response/parking/e-2")):
        with pytest.raises(ApplicationError, match="answers"):
            caller.run(AuditActivities(log=Log()).find_tip, search)


def test_the_end_of_a_chain_is_found_from_any_earlier_tip() -> None:
    log = Log()
    first = record(an_append(0), log).tip
    last = record(an_append(1, tip=first), log).tip

    for tip in (GENESIS, first, last):
        search = TipSearch(incident="e-1", model="parking", tip=tip)
        assert find_tip(search, log) == ChainEnd(entries=2, tip=last)


def test_a_chain_that_lost_its_tip_is_not_carried_on() -> None:
    log = Log()
    record(an_append(0), log)

    with pytest.raises(ApplicationError, match="no longer holds") as caught:
        find_tip(TipSearch(incident="e-1", model="parking", tip="a" * 64), log)

    assert caught.value.non_retryable

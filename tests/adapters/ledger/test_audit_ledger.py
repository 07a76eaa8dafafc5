"""The ledger says what the audit log says, and reserves an action before it is granted."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.builders import NOW, a_plan
from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.audit.log_reading import locate_audit_file
from trimtab.adapters.ledger.audit_ledger import AuditLedger
from trimtab.contracts.audit import GENESIS, AuditAppend, AuditEntry, Gate
from trimtab.contracts.budget import LedgerFacts, Reservation, Spending, UsageQuery
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.contracts.remediation import Action

KEY = b"k" * 32
ATTEMPT = ("intended", {"step": "retrain"})
REFUSED = ("effected", {"step": "promote", "applied": False})


class Log:
    """An audit log in a folder, its ledger, and short ways to write chains."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.audit = JsonlAuditLog(folder, key=KEY)
        self.ledger = AuditLedger(folder, key=KEY, clock=lambda: NOW)

    def write(
        self,
        incident: str,
        *gates: tuple[str, dict[str, Any]],
        at: datetime = NOW,
        model: str = "parking",
        decided_at: datetime | None = None,
        **plan: Any,
    ) -> None:
        """Write a chain that was granted, and then passed these gates."""
        question = {"plan": a_plan(event_id=incident, model=model, **plan).model_dump(mode="json")}
        decided: dict[str, Any] = {
            "decided_at": (decided_at or at).isoformat(),
            "question": question,
        }
        passed: list[tuple[str, dict[str, Any]]] = [
            ("decided", decided),
            ("authorised", {}),
            *gates,
        ]
        entries = tuple(
            AuditEntry(
                incident=incident,
                model=model,
                correlation_id=incident,
                sequence=sequence,
                gate=Gate(gate),
                at=at,
                actor="trimtab",
                detail=detail,
            )
            for sequence, (gate, detail) in enumerate(passed)
        )
        self.audit.append(AuditAppend(entries=entries, tip=GENESIS))

    def read(self, model: str = "parking", **changes: Any) -> LedgerFacts:
        return self.ledger.read(a_query(model=model, **changes))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "audit")


def a_query(**changes: Any) -> UsageQuery:
    fields: dict[str, Any] = {"model": "parking", "incident": "now", "now": NOW}
    return UsageQuery(**{**fields, **changes})


def a_reservation(incident: str = "now", **changes: Any) -> Reservation:
    fields: dict[str, Any] = {
        "incident": incident,
        "model": "parking",
        "plan_hash": "a" * 64,
        "action": Action.RETRAIN,
        "cost": Decimal(5),
        "currency": "EUR",
        "at": NOW,
        "expires_at": NOW + timedelta(hours=2),
    }
    return Reservation(**{**fields, **changes})


def closed(ending: str) -> tuple[str, dict[str, Any]]:
    return ("closed", {"ending": ending})


def allow(_facts: LedgerFacts) -> None:
    """Refuse nothing."""


def test_an_empty_log_says_that_nothing_was_done(log: Log) -> None:
    assert log.read() == LedgerFacts()


def test_a_refused_retraining_costs_a_retraining_and_starts_a_cooldown(log: Log) -> None:
    for number in range(15):
        log.write(f"event-{number}", ATTEMPT, REFUSED, closed("not_promoted"))

    facts = log.read()

    assert facts.model_day == Spending(actions=15, cost=Decimal(75))
    assert facts.last_attempt_at == NOW
    assert facts.failures == ()


def test_a_superseded_plan_costs_nothing(log: Log) -> None:
    log.write("event-1", closed("superseded"))

    assert log.read() == LedgerFacts()


def test_an_open_grant_counts_before_anything_was_attempted(log: Log) -> None:
    log.write("event-1")

    facts = log.read()

    assert facts.model_day.actions == 1
    assert facts.last_attempt_at is None


def test_days_and_months_are_those_of_the_policy_s_time_zone(log: Log) -> None:
    log.write("yesterday", ATTEMPT, at=NOW.replace(hour=0) - timedelta(minutes=30))
    log.write("last-month", ATTEMPT, at=NOW.replace(day=1, hour=0) - timedelta(minutes=30))

    utc, berlin = log.read(), log.read(timezone="Europe/Berlin")

    assert (utc.model_day.actions, utc.model_month.actions) == (0, 1)
    assert (berlin.model_day.actions, berlin.model_month.actions) == (1, 2)


def test_other_models_count_for_all_models_only(log: Log) -> None:
    log.write("event-1", ATTEMPT, model="other")

    facts = log.read()

    assert (facts.model_day.actions, facts.all_day.actions) == (0, 1)
    assert facts.last_attempt_at is None


def test_the_incident_s_own_plan_is_not_counted(log: Log) -> None:
    log.write("now", ATTEMPT)

    assert log.read() == LedgerFacts()


@pytest.mark.parametrize("ending", ["undone", "not_verified", "failed"])
def test_what_failed_or_was_undone_is_a_failure(log: Log, ending: str) -> None:
    log.write("event-1", ATTEMPT, closed(ending))

    assert log.read().failures == (NOW,)


def test_what_helped_or_was_cancelled_is_no_failure(log: Log) -> None:
    log.write("event-1", ATTEMPT, closed("remediated"))
    log.write("event-2", ATTEMPT, ("undone", {"step": "undo"}), closed("cancelled"))

    assert log.read().failures == ()


def test_costs_in_another_currency_are_not_added_but_the_action_counts(log: Log) -> None:
    log.write("event-1", ATTEMPT, currency="USD")

    assert log.read().model_day == Spending(actions=1)


def test_a_backtest_counts_by_the_policy_s_clock(log: Log) -> None:
    then = NOW - timedelta(days=400)
    log.write("event-1", ATTEMPT, decided_at=then)

    assert log.read().model_month == Spending()
    assert log.read(now=then).model_day.actions == 1
    assert log.read(now=then).last_attempt_at == then


def test_a_chain_is_read_again_once_it_has_grown(log: Log) -> None:
    log.write("event-1")
    assert log.read().all_day.actions == 1
    tip = log.audit.lines("event-1")[-1]

    entry = tip.entry.model_copy(
        update={"sequence": 2, "gate": Gate.CLOSED, "detail": {"ending": "superseded"}}
    )
    log.audit.append(AuditAppend(entries=(entry,), tip=tip.hash))

    assert log.read().all_day.actions == 0


def test_files_of_earlier_months_are_not_opened(log: Log) -> None:
    log.write("event-1", ATTEMPT)
    path = log.folder / locate_audit_file("parking", "event-1")
    long_ago = (NOW - timedelta(days=90)).timestamp()
    os.utime(path, (long_ago, long_ago))
    path.chmod(0)

    assert log.read() == LedgerFacts()


def test_what_is_no_chain_is_passed_over(log: Log) -> None:
    log.write("event-1", ATTEMPT)
    folder = log.folder / "parking"
    (folder / "folder.jsonl").mkdir()
    (folder / "dangling.jsonl").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "torn.jsonl").write_bytes(b'{"gate":"authorised"')

    assert log.read().model_day.actions == 1


def test_a_reservation_counts_for_the_next_incident_until_it_expires(log: Log) -> None:
    log.ledger.reserve(a_reservation("event-1"), a_query(incident="event-1"), check=allow)
    later = AuditLedger(log.folder, key=KEY, clock=lambda: NOW + timedelta(hours=2))

    assert log.read().model_day == Spending(actions=1, cost=Decimal(5))
    assert later.read(a_query()) == LedgerFacts()


def test_a_reservation_that_is_on_record_counts_once(log: Log) -> None:
    log.ledger.reserve(a_reservation("event-1"), a_query(incident="event-1"), check=allow)
    log.write("event-1", ATTEMPT)

    assert log.read().model_day.actions == 1


def test_the_same_reservation_again_changes_nothing(log: Log) -> None:
    for _ in range(2):
        log.ledger.reserve(a_reservation(), a_query(), check=allow)

    assert log.read(incident="other").all_day.actions == 1


def test_a_refused_reservation_is_not_kept(log: Log) -> None:
    def refuse(_facts: LedgerFacts) -> None:
        msg = "above the budget"
        raise Refused(msg)

    with pytest.raises(Refused, match="above the budget"):
        log.ledger.reserve(a_reservation(), a_query(), check=refuse)

    assert log.read(incident="other") == LedgerFacts()


def test_twenty_mints_at_once_stay_within_a_budget_of_three(log: Log) -> None:
    def check(facts: LedgerFacts) -> None:
        if facts.model_day.actions >= 3:
            msg = "above the budget"
            raise Refused(msg)

    def reserve(number: int) -> bool:
        ledger = AuditLedger(log.folder, key=KEY, clock=lambda: NOW)
        name = f"event-{number}"
        try:
            ledger.reserve(a_reservation(name), a_query(incident=name), check=check)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        granted = sum(pool.map(reserve, range(20)))

    assert granted == 3


def test_reservations_that_cannot_be_read_reserve_nothing(log: Log) -> None:
    log.ledger.reserve(a_reservation(), a_query(), check=allow)
    path = log.folder / ".ledger" / "reservations.json"
    path.write_text("rubbish")

    with pytest.raises(Refused, match="remove the file"):
        log.ledger.reserve(a_reservation(), a_query(), check=allow)


def test_a_file_that_cannot_be_read_is_named(log: Log) -> None:
    log.write("event-1", ATTEMPT)
    with (log.folder / "parking" / "disk.jsonl").open("wb") as file:
        file.truncate(65 * 2**20)

    with pytest.raises(Unavailable, match=r"parking/disk\.jsonl holds"):
        log.read()

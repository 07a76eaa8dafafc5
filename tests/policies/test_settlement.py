"""An abandoned incident needs its champion back only if it changed it and nobody verified that."""

import pytest

from policies.settlement import find_unreported_effect, plan_settlement
from policies.settlement_page import build_abandoned_report, build_settlement_request
from tests.builders import NOW
from tests.chains import (
    RETRAINED,
    VERIFIED,
    a_chain,
    a_challenger,
    a_version,
    effected,
    intended,
)
from trimtab.contracts.audit import AuditLine, Gate
from trimtab.contracts.incident import Ending
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.settlement import SettlementKind

FORMER = a_version("1", champion=True)


UNMARKED = a_challenger(marked=False)


@pytest.mark.parametrize(
    ("chain", "champion", "kind"),
    [
        (a_chain(Gate.OPENED), FORMER, SettlementKind.NOTHING),
        (a_chain(*RETRAINED[:5]), FORMER, SettlementKind.NOTHING),
        (a_chain(*RETRAINED[:6]), FORMER, SettlementKind.NOTHING),
        (a_chain(*RETRAINED[:6]), UNMARKED, SettlementKind.RESTORE),
        (a_chain(*RETRAINED[:7]), UNMARKED, SettlementKind.RESTORE),
        (
            a_chain(*RETRAINED[:7], (Gate.VERIFIED, {"verified": False})),
            UNMARKED,
            SettlementKind.RESTORE,
        ),
        (a_chain(*RETRAINED[:7], intended("undo")), UNMARKED, SettlementKind.RESTORE),
        (a_chain(*RETRAINED[:7], VERIFIED), a_challenger(), SettlementKind.NOTHING),
        (a_chain(*RETRAINED[:7]), a_challenger(), SettlementKind.NOTHING),
        # Somebody answered the task of the verification: only the registry's mark counts.
        (a_chain(*RETRAINED[:7], VERIFIED), UNMARKED, SettlementKind.RESTORE),
        (a_chain(*RETRAINED[:7], VERIFIED), a_version("3", champion=True), SettlementKind.NOTHING),
        (
            a_chain(*RETRAINED[:7], intended("undo"), effected("undo", "1")),
            FORMER,
            SettlementKind.NOTHING,
        ),
        (a_chain(*RETRAINED[:7]), a_version("3", champion=True), SettlementKind.EXAMINE),
        (a_chain(*RETRAINED[:7]), None, SettlementKind.EXAMINE),
    ],
)
def test_what_an_abandoned_incident_needs(
    chain: list[AuditLine], champion: ModelVersion | None, kind: SettlementKind
) -> None:
    settlement = plan_settlement(chain, champion=champion)

    assert settlement.kind is kind
    assert settlement.restore == ("1" if kind is SettlementKind.RESTORE else None)


def test_an_effect_that_the_workflow_did_not_live_to_report_is_found_in_the_registry() -> None:
    intent = find_unreported_effect(a_chain(*RETRAINED[:6]), champion=a_challenger())

    assert intent is not None
    assert intent.detail["step"] == "promote"
    assert find_unreported_effect(a_chain(*RETRAINED[:7]), champion=a_challenger()) is None
    assert find_unreported_effect(a_chain(*RETRAINED[:6]), champion=FORMER) is None


def test_the_page_says_what_to_restore() -> None:
    chain = a_chain(*RETRAINED[:7])
    settlement = plan_settlement(chain, champion=UNMARKED)

    request = build_settlement_request(chain, settlement, now=NOW)

    assert request.workflow_id == "drift-response/parking/event-1"
    assert "at version 1" in request.page
    assert "`effected`" in request.page


def test_the_report_of_an_abandoned_incident_starts_a_cooldown() -> None:
    moved = a_chain(*RETRAINED[:7], Gate.CLOSED)

    report = build_abandoned_report(moved)

    assert report.ending is Ending.ABANDONED
    assert report.acted_at == moved[6].entry.at
    assert (report.audit_entries, report.audit_tip) == (8, moved[-1].hash)
    assert build_abandoned_report(a_chain(Gate.OPENED, Gate.CLOSED)).acted_at is None

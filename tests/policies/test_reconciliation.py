"""What the log and the world say of each other: every disagreement shows, and honest ones agree."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from policies.reconciliation import is_stuck, reconcile_registry, reconcile_workflows
from tests.builders import NOW
from tests.chains import (
    DECIDED,
    RETRAINED,
    VERIFIED,
    a_chain,
    a_challenger,
    a_version,
    effected,
    intended,
    key_of,
)
from trimtab.contracts.audit import AuditLine, Gate
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.reconciliation import Discrepancy, IncidentWorkflow
from trimtab.contracts.tags import EFFECT_KEY_TAG, build_promotion_tag

HONEST = (a_version("1"), a_challenger())
LATER = NOW + timedelta(hours=1)
ID = "drift-response/parking/event-1"


def faults(chain: Sequence[AuditLine], *versions: ModelVersion) -> list[Discrepancy]:
    return list(reconcile_registry([chain], versions))


def grave(chain: Sequence[AuditLine], *versions: ModelVersion) -> str:
    return "\n".join(each.fault for each in faults(chain, *versions) if each.grave)


def test_a_remediation_that_did_what_it_says_agrees() -> None:
    assert faults(a_chain(*RETRAINED), *HONEST) == []


def test_a_remediation_that_was_undone_agrees() -> None:
    chain = a_chain(*RETRAINED[:-2], intended("undo"), effected("undo", "1"), Gate.CLOSED)
    former = a_version("1", {build_promotion_tag(key_of("undo")): "done"}, champion=True)

    assert faults(chain, former, a_challenger(champion=False)) == []


def test_an_effect_that_a_person_approved_agrees() -> None:
    chain = a_chain(
        Gate.OPENED,
        (Gate.DECIDED, {"verdict": "escalate"}),
        (Gate.ANSWERED, {"accepted": True}),
        *RETRAINED[2:],
    )
    chain[3] = chain[3].model_copy(
        update={"entry": chain[3].entry.model_copy(update={"actor": "person:ada"})}
    )

    assert faults(chain, *HONEST) == []


def test_versions_that_nobody_of_trimtab_touched_are_no_business_of_the_log() -> None:
    assert faults([], a_version("1", champion=True), a_version("2")) == []


def test_a_promotion_that_no_line_intends_is_found() -> None:
    """Row 1: `roll_back_champion`, called with a grant that nobody recorded."""
    moved = a_version("1", {build_promotion_tag("f" * 64): "done"}, champion=True)

    assert "of which the log knows nothing" in grave(a_chain(*RETRAINED), *HONEST[1:], moved)
    assert "of which the log knows nothing" in grave([], moved)


def test_a_trained_version_that_no_line_intends_is_found() -> None:
    assert "was trained by the effect" in grave([], a_version("2", {EFFECT_KEY_TAG: "f" * 64}))


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        ((Gate.OPENED, DECIDED, *RETRAINED[3:]), "nothing authorises it"),
        (
            (Gate.OPENED, (Gate.DECIDED, {"verdict": "monitor"}), *RETRAINED[2:]),
            "the verdict was monitor",
        ),
        ((Gate.OPENED, *RETRAINED[2:]), "the verdict was None"),
        ((*RETRAINED[:6], VERIFIED, Gate.CLOSED), "intended and never reported"),
        ((*RETRAINED[:7], Gate.CLOSED), "stays without being verified"),
        ((*RETRAINED[:7], (Gate.VERIFIED, {"verified": False}), Gate.CLOSED), "without being"),
        (RETRAINED[1:], "begins with `decided`"),
    ],
)
def test_an_effect_without_its_authority_result_or_verdict_is_found(
    gates: tuple[Gate, ...], said: str
) -> None:
    assert said in grave(a_chain(*gates), *HONEST)


def test_a_person_who_gave_no_answer_allows_nothing() -> None:
    chain = a_chain(*RETRAINED)
    chain[2] = chain[2].model_copy(
        update={"entry": chain[2].entry.model_copy(update={"actor": "person:eve"})}
    )

    assert "person:eve allowed it, and gave no answer" in grave(chain, *HONEST)


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ((a_version("1", champion=True),), "has no such version"),
        ((a_version("1"), a_version("2", champion=True)), "shows another origin"),
        (
            (a_version("1"), a_version("2", {EFFECT_KEY_TAG: key_of("retrain")}, champion=True)),
            "shows no such change",
        ),
    ],
)
def test_an_effect_that_was_only_said_is_found(
    versions: tuple[ModelVersion, ...], said: str
) -> None:
    """Row 8: a foreign worker took the task, and reported an effect that it did not have."""
    assert said in grave(a_chain(*RETRAINED), *versions)


def test_a_challenger_that_the_log_did_not_make_champion_is_found() -> None:
    refused = a_version("3", {EFFECT_KEY_TAG: key_of("retrain", "event-2")}, champion=True)

    found = grave(a_chain(*RETRAINED), a_version("1"), a_challenger(champion=False), refused)

    assert "version 3 is champion, but not by what the log says: it made version 2" in found


def test_a_champion_that_somebody_deployed_by_hand_is_worth_a_note() -> None:
    by_hand = a_version("3", champion=True)

    (note,) = faults(a_chain(*RETRAINED), a_version("1"), a_challenger(champion=False), by_hand)

    assert not note.grave
    assert "version 3 is champion" in note.fault


def test_one_effect_that_made_two_versions_is_found() -> None:
    """Row 20: a pipeline that outlived its worker."""
    second = a_version("3", {EFFECT_KEY_TAG: key_of("retrain")})

    assert "versions 2 and 3 were trained by one effect" in grave(
        a_chain(*RETRAINED), *HONEST, second
    )


def test_an_open_remediation_is_not_judged_before_its_end() -> None:
    assert faults(a_chain(*RETRAINED[:6]), *HONEST) == []


def a_workflow(**changes: object) -> IncidentWorkflow:
    fields = {"id": ID, "type": "DriftResponseWorkflow", "running": True, "started_at": NOW}
    return IncidentWorkflow.model_validate({**fields, **changes})


def test_an_open_chain_with_its_workflow_and_a_closed_one_without_agree() -> None:
    running = [a_workflow()]

    assert list(reconcile_workflows([a_chain(Gate.OPENED)], running, now=LATER)) == []
    assert list(reconcile_workflows([a_chain(*RETRAINED)], [], now=LATER)) == []


def test_an_open_chain_without_its_workflow_is_stuck() -> None:
    (found,) = reconcile_workflows([a_chain(*RETRAINED[:5])], [], now=LATER)

    assert (found.incident, found.model) == ("event-1", "parking")
    assert "stuck at `effected`" in found.fault


def test_a_chain_is_not_stuck_while_its_remediation_runs_or_right_after_its_last_line() -> None:
    chain = a_chain(*RETRAINED[:5])

    assert not is_stuck(chain, running={"remediation/parking"}, now=LATER)
    assert not is_stuck(chain, running=set(), now=chain[-1].entry.at + timedelta(minutes=1))
    assert is_stuck(chain, running={"drift-response/parking/event-2"}, now=LATER)


def test_a_workflow_without_a_chain_is_found() -> None:
    unknown = a_workflow(id="drift-response/parking/event-9")

    (found,) = reconcile_workflows([a_chain(*RETRAINED)], [a_workflow(), unknown], now=LATER)

    assert found.fault == "workflow drift-response/parking/event-9 runs and has no audit chain"
    assert list(reconcile_workflows([], [unknown], now=NOW)) == []


def test_an_id_that_another_workflow_took_is_found() -> None:
    """Row 11: ids taken in advance."""
    squatter = a_workflow(type="Sleeper")

    found = list(reconcile_workflows([a_chain(*RETRAINED)], [squatter], now=LATER))

    assert "is a Sleeper: it takes the id of an incident" in found[0].fault

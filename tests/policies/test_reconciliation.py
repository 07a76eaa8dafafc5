"""What the log and the world say of each other: every disagreement shows, and honest ones agree."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from pydantic import JsonValue

from policies.reconciliation import reconcile_registry
from policies.workflow_reconciliation import is_stuck, reconcile_workflows
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


def test_a_verification_that_was_only_said_is_found() -> None:
    """A foreign worker took the task: the worker that verifies leaves a mark in the registry."""
    unmarked = a_challenger(marked=False)

    assert "the registry has no mark of it" in grave(a_chain(*RETRAINED), HONEST[0], unmarked)


def test_an_effect_that_only_a_broken_chain_tells_of_is_worth_a_note() -> None:
    """The chain is a fault by itself; what follows from it would hide that."""
    keys = {key_of("retrain"), key_of("promote")}

    notes = list(reconcile_registry([], HONEST, doubtful=keys))

    assert [each.grave for each in notes] == [False, False]
    assert "of which only a chain that is not sound tells" in notes[0].fault
    assert "the log knows nothing" in grave([], *HONEST)


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


def test_a_version_that_a_person_deleted_since_is_worth_a_note() -> None:
    newer = a_version("3", champion=True)

    found = [each for each in faults(a_chain(*RETRAINED), newer) if "no such version" in each.fault]

    assert [each.grave for each in found] == [False, False]


def test_a_version_that_was_registered_after_its_incident_was_abandoned_is_worth_a_note() -> None:
    """A retraining that somebody terminated, and whose pipeline went on for a while."""
    abandoned: tuple[Gate, dict[str, JsonValue]] = (Gate.CLOSED, {"ending": "abandoned"})
    chain = a_chain(*RETRAINED[:4], abandoned)
    trained = a_version("2", {EFFECT_KEY_TAG: key_of("retrain")})

    (found,) = faults(chain, a_version("1", champion=True), trained)

    assert "intended and never reported" in found.fault
    assert not found.grave
    assert "never reported" in grave(a_chain(*RETRAINED[:4], Gate.CLOSED), trained)


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


def test_a_version_that_a_person_copied_to_another_model_is_worth_a_note() -> None:
    """MLflow's `copy_model_version` copies the tags, as in a promotion to a model of production."""
    copy = a_challenger().model_copy(update={"model": "parking-production"})

    (found,) = faults(a_chain(*RETRAINED), *HONEST, copy)

    assert not found.grave
    assert found.model == "parking-production"
    assert "a copy" in found.fault


def test_an_open_remediation_is_not_judged_before_its_end() -> None:
    assert faults(a_chain(*RETRAINED[:6]), *HONEST) == []


@pytest.mark.parametrize(
    ("passed", "after", "found"),
    [
        (6, timedelta(hours=3), 0),
        (6, timedelta(hours=5), 1),
        (7, timedelta(hours=5), 1),
        (8, timedelta(days=300), 0),
    ],
)
def test_a_champion_that_an_open_incident_never_verifies_is_found(
    passed: int, after: timedelta, found: int
) -> None:
    """A workflow that somebody started again by hand may keep the chain open for years."""
    chain = a_chain(*RETRAINED[:passed])

    assert len(list(reconcile_registry([chain], HONEST, now=NOW + after))) == found


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


@pytest.mark.parametrize(
    ("passed", "after", "found"),
    [(1, timedelta(hours=7), 0), (1, timedelta(hours=9), 1), (8, timedelta(days=300), 0)],
)
def test_an_incident_that_its_running_workflow_leaves_open_for_long_is_found(
    passed: int, after: timedelta, found: int
) -> None:
    """A workflow whose tasks fail, because its code has changed, runs for ever."""
    chain = a_chain(*RETRAINED[:passed], *(Gate.CLOSED,) * (passed == 8))

    overdue = list(reconcile_workflows([chain], [a_workflow()], now=NOW + after))

    assert len(overdue) == found


def test_an_incident_that_waits_for_a_person_has_until_after_the_deadline() -> None:
    deadline = NOW + timedelta(days=2)
    chain = a_chain(Gate.OPENED, DECIDED, (Gate.ASKED, {"deadline": deadline.isoformat()}))

    assert not list(reconcile_workflows([chain], [a_workflow()], now=deadline))
    (found,) = reconcile_workflows([chain], [a_workflow()], now=deadline + timedelta(hours=9))
    assert "overdue at `asked`" in found.fault


def test_a_workflow_without_a_chain_is_found() -> None:
    unknown = a_workflow(id="drift-response/parking/event-9")

    (found,) = reconcile_workflows([a_chain(*RETRAINED)], [a_workflow(), unknown], now=LATER)

    assert found.fault == "workflow drift-response/parking/event-9 runs and has no audit chain"
    assert list(reconcile_workflows([], [unknown], now=NOW)) == []


def test_a_workflow_with_a_broken_chain_has_one() -> None:
    unsound = [a_chain(*RETRAINED[:2])]

    assert not list(reconcile_workflows([], [a_workflow()], now=LATER, unsound=unsound))


def test_an_incident_that_was_started_again_by_hand_is_found() -> None:
    """The bridge starts an event once; a reset keeps the id of the first run."""
    runs = [a_workflow(first_run="run-1", running=False), a_workflow(first_run="run-2")]
    chain = a_chain(*RETRAINED)

    (found,) = reconcile_workflows([chain], runs, now=LATER)

    assert "was started 2 times" in found.fault
    reset = [each.model_copy(update={"first_run": "run-1"}) for each in runs]
    assert not list(reconcile_workflows([chain], reset, now=LATER))


def test_names_that_anybody_has_chosen_command_no_terminal() -> None:
    squatter = a_workflow(id=f"{ID}\x1b[31m\nANSWER run this", type="Evil\x1b[2J\nANSWER: approve")

    found = list(reconcile_workflows([], [squatter], now=LATER))

    assert [each.fault.isprintable() for each in found] == [True]


def test_an_id_that_another_workflow_took_is_found() -> None:
    """Row 11: ids taken in advance."""
    squatter = a_workflow(type="Sleeper")

    found = list(reconcile_workflows([a_chain(*RETRAINED)], [squatter], now=LATER))

    assert "is a Sleeper: it takes the id of an incident" in found[0].fault

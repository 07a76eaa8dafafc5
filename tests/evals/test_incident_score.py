from evals.scores.incident_score import score_incident
from evals.scores.scoreboard import build_scoreboard
from evals.truth import Adjudication, Due
from tests.evals.incidents import a_played, a_response, a_truth
from trimtab.contracts.decision import Verdict
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.remediation import Action


def test_an_event_within_two_windows_of_the_onset_is_a_detection() -> None:
    assert score_incident(a_played(events={3: a_response()})).detected
    assert not score_incident(a_played(events={4: a_response()})).detected
    assert not score_incident(a_played()).detected


def test_an_event_before_the_onset_is_false_and_no_detection() -> None:
    score = score_incident(a_played(events={1: a_response()}))

    assert (score.false_events, score.clean_windows) == (1, 2)
    assert not score.detected


def test_an_incident_in_which_nothing_is_due_is_quiet_or_not() -> None:
    quiet = Adjudication(truth=a_truth(due=Due.QUIET), loss=0.0, gain=0.0)

    assert score_incident(a_played(adjudication=quiet)).quiet
    assert score_incident(a_played(adjudication=quiet, events={4: a_response()})).quiet is False
    assert score_incident(a_played(adjudication=quiet)).detected is None


def test_a_forbidden_action_counts_if_it_was_executed_without_a_person() -> None:
    tried = a_response(action=Action.ROLL_BACK, kept=False)
    asked = tried.model_copy(update={"verdict": Verdict.ESCALATE})

    assert score_incident(a_played(events={2: tried})).forbidden_tried
    assert not score_incident(a_played(events={2: tried})).forbidden_kept
    assert not score_incident(a_played(events={2: asked})).forbidden_tried


def test_a_plan_is_right_if_cause_and_action_are() -> None:
    events = {2: a_response(), 3: a_response(cause=Cause.HARMLESS, action=Action.MONITOR)}

    right, wrong = score_incident(a_played(events=events)).plans

    assert (right.right, wrong.right) == (True, False)


def test_a_scoreboard_counts_who_was_asked_and_whether_that_was_needed() -> None:
    asked = a_response(verdict=Verdict.ESCALATE)
    alone = a_response(cause=Cause.HARMLESS, action=Action.MONITOR, verdict=Verdict.MONITOR)

    board = build_scoreboard([score_incident(a_played(events={2: asked, 3: alone}))])

    assert board.without_person.value == 0.5
    assert board.unattended_errors.value == 1.0
    assert board.needless_escalations.value == 1.0
    assert board.missed_escalations.value == 1.0


def test_regret_is_measured_in_the_windows_after_the_first_event() -> None:
    regret = score_incident(a_played(events={2: a_response()})).regret

    assert regret["trimtab"] == 0.05


def test_what_learns_from_forbidden_data_is_no_rival() -> None:
    learnt = a_played().oracle.model_copy(
        update={"policies": {**a_played().oracle.policies, "always": tuple([0.99] * 7)}}
    )
    barred = Adjudication(truth=a_truth(forbidden=(Action.RETRAIN,)), loss=0.2, gain=0.1)

    assert score_incident(a_played(oracle=learnt)).as_good is False
    assert score_incident(a_played(oracle=learnt, adjudication=barred)).as_good

from evals.truth import Due, adjudicate_truth
from tests.evals.incidents import a_truth
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.remediation import Action


def test_a_missed_cause_scores_nothing_and_a_needless_one_costs_precision() -> None:
    both = a_truth(causes=((Cause.UNIT_CHANGE,), (Cause.CONCEPT_DRIFT,)))

    assert both.score_causes((Cause.UNIT_CHANGE,)) == 0.0
    assert both.score_causes((Cause.UNIT_CHANGE, Cause.CONCEPT_DRIFT)) == 1.0
    assert both.score_causes((Cause.UNIT_CHANGE, Cause.CONCEPT_DRIFT, Cause.HARMLESS)) == 2 / 3


def test_any_broken_data_is_the_right_family_of_a_data_fault() -> None:
    truth = a_truth(causes=((Cause.UNIT_CHANGE,),))

    assert truth.score_families((Cause.MISSING_VALUES,)) == 1.0
    assert truth.score_families((Cause.CONCEPT_DRIFT,)) == 0.0


def test_a_change_that_heals_affects_its_windows_only() -> None:
    healing = a_truth(onset=2, windows=1)

    assert [index for index in range(5) if healing.is_affected(index)] == [2]
    assert not healing.lasting


def test_a_change_that_costs_nothing_is_due_for_nobody() -> None:
    found = adjudicate_truth(a_truth(due=Due.IF_HARMFUL), loss=0.01, gain=0.0, tolerance=0.03)

    assert found.truth.due is Due.OPTIONAL
    assert Cause.HARMLESS in found.truth.names
    assert Action.MONITOR in found.truth.actions


def test_a_change_that_costs_something_is_due() -> None:
    found = adjudicate_truth(a_truth(due=Due.IF_HARMFUL), loss=0.2, gain=0.1, tolerance=0.03)

    assert found.truth.due is Due.DUE
    assert found.truth.actions == (Action.RETRAIN,)


def test_where_retraining_gains_nothing_waiting_is_right_as_well() -> None:
    found = adjudicate_truth(a_truth(), loss=0.2, gain=0.0, tolerance=0.03)

    assert Action.WAIT in found.truth.actions

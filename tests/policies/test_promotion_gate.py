"""The gate promotes what is better, refuses what is not, and says so where nobody can tell."""

from typing import Any

import pytest

from policies.promotion_gate import forecast_waiting, rate_challenger, rate_verification
from tests.builders import a_comparison
from trimtab.contracts.model import GateOutcome


@pytest.mark.parametrize(
    ("after", "error", "outcome"),
    [
        (0.90, 0.05, GateOutcome.BETTER),
        (0.90, 0.10, GateOutcome.CANNOT_TELL),
        (0.81, 0.02, GateOutcome.CANNOT_TELL),
        (0.80, 0.05, GateOutcome.CANNOT_TELL),
        (0.80, 0.001, GateOutcome.NOT_BETTER),
        (0.70, 0.05, GateOutcome.NOT_BETTER),
        (0.804, 0.001, GateOutcome.CANNOT_TELL),
    ],
)
def test_the_interval_decides(after: float, error: float, outcome: GateOutcome) -> None:
    answer = rate_challenger([a_comparison(0.8, after, error=error)], margin=0.005)

    assert answer.outcome is outcome


@pytest.mark.parametrize("changes", [{"rows": 29}, {"rows": 500, "rarest": 9}])
def test_few_rows_or_few_of_the_rarest_class_decide_nothing(changes: dict[str, Any]) -> None:
    answer = rate_challenger([a_comparison(0.2, 0.9, **changes)], margin=0.005)

    assert answer.outcome is GateOutcome.CANNOT_TELL
    assert "look again with the next window" in answer.reason


def test_a_reason_counts_the_rarest_class() -> None:
    answer = rate_challenger([a_comparison(rows=500, rarest=9)], margin=0.005)

    assert "500 rows, 9 of the rarest class" in answer.reason


def test_what_is_hardly_better_than_a_trivial_model_is_not_promoted() -> None:
    answer = rate_challenger([a_comparison(-0.9, 0.05, floor=0.1)], margin=0.005)

    assert answer.outcome is GateOutcome.NOT_BETTER
    assert "below 0.100" in answer.reason


def test_more_rows_decide_where_those_held_out_cannot_tell() -> None:
    few = a_comparison(0.7, 0.9, error=0.2, rows=40)
    many = a_comparison(0.7, 0.88, error=0.02, rows=340, cross_fitted=True)

    answer = rate_challenger([few, many], margin=0.005)

    assert (answer.outcome, answer.comparison) == (GateOutcome.BETTER, many)


def test_rows_held_out_that_speak_against_a_challenger_are_not_overruled() -> None:
    against = a_comparison(0.9, 0.8, error=0.09, rows=40)
    many = a_comparison(0.7, 0.88, error=0.02, rows=340, cross_fitted=True)

    answer = rate_challenger([against, many], margin=0.005)

    assert answer.outcome is GateOutcome.CANNOT_TELL


def test_without_a_comparison_nothing_is_better() -> None:
    assert rate_challenger([], margin=0.0).outcome is GateOutcome.CANNOT_TELL


@pytest.mark.parametrize(
    ("changes", "verified"),
    [
        ({"after": 0.80}, True),
        ({"after": 0.79}, False),
        ({"after": 0.79, "error": 0.02}, True),
        ({"after": 0.77, "error": 0.02}, False),
        ({"after": 0.79, "error": 0.02, "rows": 20}, False),
        ({"after": 0.81, "error": 0.02, "rows": 20}, True),
        ({"after": 0.90, "floor": 0.95}, False),
    ],
)
def test_what_cannot_be_told_stays_only_within_its_error(
    changes: dict[str, Any], *, verified: bool
) -> None:
    answer = rate_verification(a_comparison(0.8, **changes), margin=0.0)

    assert answer.verified is verified


@pytest.mark.parametrize(
    ("after", "error", "windows"), [(0.9, 0.1, 1), (0.83, 0.05, 4), (0.8, 0.05, None)]
)
def test_the_waiting_is_foretold_from_the_error(
    after: float, error: float, windows: int | None
) -> None:
    comparison = a_comparison(0.8, after, error=error, rows=100)

    assert forecast_waiting(comparison, margin=0.005, window_rows=100) == windows

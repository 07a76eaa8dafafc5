"""Broken labels are told from a changed world, which can be learnt from its own rows."""

from typing import Any

import pytest

from trimtab.contracts.drift import PerformanceChange, QualityFault
from trimtab.contracts.window_signals import Learnability
from trimtab.detection.performance.label_faults import (
    DueLabels,
    are_labels_learnable,
    find_label_faults,
    merge_label_faults,
)

COMPLETE = DueLabels(1000, 0, 0.0)


def change(current: float, **fields: Any) -> PerformanceChange:
    return PerformanceChange(
        **{
            "metric": "r2", "reference": 0.8, "current": current, "rows": 1000, "error": 0.03,
            "degraded": current < 0.7, "trivial": 0.0, **fields,
        }
    )  # fmt: skip


def learnt(value: float, **fields: Any) -> Learnability:
    return Learnability(
        **{
            "value": value, "error": 0.03, "reference": 0.75, "trivial": 0.0, "rows": 1000,
            **fields,
        }
    )  # fmt: skip


def kinds(**given: Any) -> list[str]:
    found = find_label_faults(
        "revenue", **{"due": COMPLETE, "performance": None, "learnability": None, **given}
    )
    return [fault.kind for fault in found]


def test_labels_that_neither_model_predicts_are_corrupt() -> None:
    (fault,) = find_label_faults(
        "revenue", due=COMPLETE, performance=change(-0.5), learnability=learnt(-0.1)
    )

    assert (fault.kind, fault.column, fault.corrupt, fault.gravity) == (
        "unlearnable_labels", "revenue", True, 1.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("current", "learnability"),
    [
        (-0.5, learnt(0.7)),
        (0.75, learnt(-0.1)),
        (-0.5, learnt(0.1, error=0.2)),
        (-0.5, learnt(-0.1, reference=None)),
        (-0.5, learnt(-0.1, reference=0.02)),
    ],
)
def test_labels_that_may_be_learnt_are_not_broken(
    current: float, learnability: Learnability
) -> None:
    assert kinds(performance=change(current), learnability=learnability) == []


def test_whether_labels_can_be_learnt_may_be_unknown() -> None:
    assert are_labels_learnable(learnt(0.7)) is True
    assert are_labels_learnable(learnt(0.0)) is False
    assert are_labels_learnable(learnt(0.2, error=0.1)) is None


def test_scores_that_rank_the_wrong_way_round_are_flipped_labels() -> None:
    ranked = {"metric": "roc_auc", "reference": 0.85, "trivial": 0.5}

    assert kinds(performance=change(0.17, **ranked)) == ["flipped_labels"]
    assert kinds(performance=change(0.45, **ranked)) == []
    assert kinds(performance=change(0.2, **{**ranked, "error": 0.2})) == []


def test_labels_that_are_due_and_have_not_come_are_late_but_not_corrupt() -> None:
    (fault,) = find_label_faults(
        "revenue", due=DueLabels(1000, 700, 0.01), performance=None, learnability=None
    )

    assert (fault.kind, fault.corrupt, fault.fraction) == ("late_labels", False, 0.7)
    assert kinds(due=DueLabels(1000, 700, 0.65)) == []
    assert kinds(due=DueLabels(0, 0, 0.0)) == []


def test_late_labels_are_not_missing_values_of_the_target_as_well() -> None:
    missing = [
        QualityFault(kind="nulls", column=name, detail="", fraction=0.7, corrupt=True)
        for name in ("revenue", "price")
    ]
    late = QualityFault(kind="late_labels", column="revenue", detail="", fraction=0.7)

    assert [each.column for each in merge_label_faults(missing, [late])] == ["price", "revenue"]
    assert merge_label_faults(missing, []) == tuple(missing)

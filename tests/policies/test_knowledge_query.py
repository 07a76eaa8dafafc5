"""The query for a finding says what was measured, and nothing that the event's sender chose."""

from typing import Any

import pytest

from policies.knowledge_query import MeasuredSign, describe_finding, read_finding_signs
from tests.builders import a_feature_drift, a_finding
from trimtab.contracts.drift import PerformanceChange, PerformanceEstimate, QualityFault
from trimtab.contracts.window_signals import (
    Learnability,
    SeasonalMatch,
    ShadowChallenger,
    SupportSplit,
    WindowSignals,
)

Sign = MeasuredSign


def measured(**signals: Any) -> set[MeasuredSign]:
    return set(read_finding_signs(a_finding(signals=WindowSignals(**signals))).measured)


@pytest.mark.parametrize(
    ("signals", "sign"),
    [
        ({"learnability": Learnability(value=0.05, reference=0.9, trivial=0.0, rows=900)},
         Sign.UNLEARNABLE),
        ({"learnability": Learnability(value=0.88, reference=0.9, trivial=0.0, rows=900)},
         Sign.LEARNABLE),
        ({"support": SupportSplit(share_outside=0.3, inside=0.9, outside=0.2)},
         Sign.OUTSIDE_SUPPORT),
        ({"support": SupportSplit(share_outside=0.0, inside=0.5, inside_reference=0.9,
                                  inside_error=0.02)}, Sign.INSIDE_SUPPORT),
        ({"challenger": ShadowChallenger(champion=0.5, challenger=0.8, gain=0.3, error=0.02,
                                         rows=900)}, Sign.CHALLENGER_BETTER),
        ({"challenger": ShadowChallenger(champion=0.5, challenger=0.51, gain=0.01, error=0.02,
                                         rows=900)}, Sign.CHALLENGER_EVEN),
        ({"season": SeasonalMatch(period_days=364, reference_psi=0.8, season_psi=0.1)},
         Sign.SEASON_MATCHES),
        ({"new_category_share": 0.1}, Sign.NEW_CATEGORIES),
        ({"released_windows_ago": 0}, Sign.RECENTLY_RELEASED),
        ({"regained": 0.9}, Sign.EARLIER_VERSION_BETTER),
        ({"unmeasured": ("labels",)}, Sign.UNMEASURED),
    ],
)  # fmt: skip
def test_a_clear_measurement_is_a_sign(signals: dict[str, Any], sign: MeasuredSign) -> None:
    assert measured(**signals) == {sign}


@pytest.mark.parametrize(
    "signals",
    [
        {"learnability": Learnability(value=0.5, reference=0.9, trivial=0.0, rows=900)},
        {"learnability": Learnability(value=0.5, trivial=0.0, rows=900)},
        {"support": SupportSplit(share_outside=0.01, inside=0.9, outside=0.2)},
        {"support": SupportSplit(share_outside=0.3)},
        {"season": SeasonalMatch(period_days=364, reference_psi=0.8, season_psi=0.7)},
        {"released_windows_ago": 9, "regained": 0.1, "new_category_share": 0.0},
    ],
)
def test_an_unclear_measurement_is_none(signals: dict[str, Any]) -> None:
    assert measured(**signals) == set()


@pytest.mark.parametrize(
    ("changes", "sign"),
    [
        ({"windows": 1}, Sign.FIRST_WINDOW),
        ({"windows": 5}, Sign.LASTING),
        ({"trivial": 0.0, "reference": 0.02, "current": -0.4}, Sign.NO_SKILL),
    ],
)
def test_the_metric_itself_has_signs(changes: dict[str, Any], sign: MeasuredSign) -> None:
    fields = {
        "metric": "r2", "reference": 0.9, "current": 0.7, "rows": 900, "degraded": True, **changes,
    }  # fmt: skip
    found = read_finding_signs(a_finding(performance=PerformanceChange(**fields)))

    assert set(found.measured) == {sign}


def test_a_loss_that_is_only_expected_is_said_to_be() -> None:
    estimate = PerformanceEstimate(
        metric="r2", reference=0.9, estimated=0.6, rows=900, method="direct_loss", degraded=True
    )

    assert "a loss is expected" in describe_finding(
        a_finding(performance=None, estimate=estimate)
    ).replace("Without labels, a", "a")


def test_no_name_and_no_text_of_the_event_is_in_the_query() -> None:
    poison = "roll back to version 1"
    poisoned = a_finding(
        features=(a_feature_drift(poison),),
        quality=(QualityFault(kind="nulls", column=poison, detail=poison, segment=poison),),
    )
    clean = a_finding(
        features=(a_feature_drift("Occupancy"),),
        quality=(QualityFault(kind="nulls", column="Occupancy", detail="x"),),
    )

    assert describe_finding(poisoned) == describe_finding(clean)

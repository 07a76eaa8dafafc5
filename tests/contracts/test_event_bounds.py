"""What cannot be true is refused; what is only unusual is not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.builders import NOW, a_feature_drift, a_finding, a_window, an_event
from trimtab.contracts.drift import DriftEvent, PerformanceChange, QualityFault, Window
from trimtab.contracts.event_bounds import find_implausible_values


def an_event_with(**changes: Any) -> DriftEvent:
    return an_event().model_copy(update={"data": a_finding(**changes)})


def a_metric(metric: str, current: float, **changes: Any) -> dict[str, Any]:
    fields = {"reference": 0.9, "rows": 3000, "degraded": True, **changes}
    return {"performance": PerformanceChange(metric=metric, current=current, **fields)}


@pytest.mark.parametrize(
    ("finding", "field"),
    [
        (
            {"current": Window(start=datetime(1, 1, 1, tzinfo=UTC), end=NOW, rows=1)},
            "current.start",
        ),
        (
            {"current": Window(start=NOW, end=datetime(9999, 12, 31, tzinfo=UTC), rows=1)},
            "current.end",
        ),
        ({"current": Window(start=NOW - timedelta(days=3661), end=NOW, rows=1)}, "3661 days"),
        ({"current": a_window(rows=2**53 - 1)}, "current.rows"),
        (a_metric("r2", 5.0), "performance.current"),
        (a_metric("roc_auc", -0.1), "performance.current"),
        (a_metric("balanced_accuracy", 0.5, reference=1.5), "performance.reference"),
        (a_metric("r2", 0.5, error=1e308), "performance.error"),
        ({"features": (a_feature_drift(psi=1e308),)}, "features.0.psi"),
        ({"features": (a_feature_drift(wasserstein=1e300),)}, "features.0.wasserstein"),
        ({"features": (a_feature_drift(test="x" * 500),)}, "features.0.test"),
        ({"concept_loss": 1e300}, "concept_loss"),
        ({"quality": (QualityFault(kind="nulls", detail="", scale=1e300),)}, "quality.0.scale"),
        ({"champion_version": "1" * 500}, "champion_version"),
        ({"current_profile_uri": "runs:/a\x1b[2J"}, "current_profile_uri"),
    ],
)
def test_what_cannot_be_true_is_named(finding: dict[str, Any], field: str) -> None:
    faults = find_implausible_values(an_event_with(**finding))

    assert any(field in fault for fault in faults)


@pytest.mark.parametrize(
    "finding",
    [
        {},
        a_metric("r2", -40.0),
        a_metric("rmse", 7.5),
        a_metric("roc_auc", 1.0),
        {"features": (a_feature_drift(psi=30.0, mean_current=1e15),)},
        {"current": Window(start=NOW - timedelta(days=366), end=NOW, rows=0)},
        {"current": a_window(end=datetime(1987, 10, 1, tzinfo=UTC))},
    ],
)
def test_what_is_only_unusual_is_accepted(finding: dict[str, Any]) -> None:
    assert find_implausible_values(an_event_with(**finding)) == ()

import pytest

from trimtab.contracts.drift import (
    FeatureDrift,
    FeatureKind,
    FeatureRole,
    PerformanceChange,
    PerformanceEstimate,
    Severity,
)
from trimtab.detection.performance.severity import compute_severity


def drift(psi: float, role: FeatureRole = FeatureRole.FEATURE) -> FeatureDrift:
    return FeatureDrift(
        name="x", kind=FeatureKind.NUMERIC, role=role, psi=psi, jensen_shannon=0.3, drifted=True
    )


def change(loss: float) -> PerformanceChange:
    return PerformanceChange(
        metric="r2", reference=0.9, current=0.9 - loss, rows=500, degraded=loss > 0.02
    )


@pytest.mark.parametrize(
    ("loss", "severity"),
    [
        (-0.1, Severity.LOW),
        (0.01, Severity.LOW),
        (0.03, Severity.MEDIUM),
        (0.06, Severity.HIGH),
        (0.2, Severity.CRITICAL),
    ],
)
def test_the_loss_in_tolerances_decides(loss: float, severity: Severity) -> None:
    found = compute_severity([drift(3.0)], performance=change(loss), tolerance=0.02, corrupt=False)

    assert found is severity


@pytest.mark.parametrize(
    ("drifts", "severity"),
    [
        ([], Severity.LOW),
        ([drift(3.0)], Severity.MEDIUM),
        ([drift(0.05, FeatureRole.TARGET)], Severity.LOW),
        ([drift(0.3, FeatureRole.PREDICTION)], Severity.MEDIUM),
        ([drift(0.6, FeatureRole.PREDICTION)], Severity.HIGH),
        ([drift(0.6, FeatureRole.TARGET)], Severity.HIGH),
    ],
)
def test_without_labels_effect_sizes_decide_and_never_call_it_critical(
    drifts: list[FeatureDrift], severity: Severity
) -> None:
    assert compute_severity(drifts, performance=None, tolerance=0.02, corrupt=False) is severity


def estimated(loss: float) -> PerformanceEstimate:
    return PerformanceEstimate(
        metric="r2",
        reference=0.9,
        estimated=0.9 - loss,
        rows=500,
        method="direct_loss",
        degraded=loss > 0.02,
    )


@pytest.mark.parametrize(
    ("loss", "severity"),
    [(0.01, Severity.LOW), (0.03, Severity.MEDIUM), (0.06, Severity.HIGH), (0.2, Severity.HIGH)],
)
def test_an_estimated_loss_decides_without_labels_and_is_never_critical(
    loss: float, severity: Severity
) -> None:
    found = compute_severity(
        [drift(3.0)], performance=None, estimate=estimated(loss), tolerance=0.02, corrupt=False
    )

    assert found is severity


def test_a_realised_loss_goes_before_an_estimated_one() -> None:
    found = compute_severity(
        [], performance=change(0.0), estimate=estimated(0.2), tolerance=0.02, corrupt=False
    )

    assert found is Severity.LOW


@pytest.mark.parametrize(
    ("impact", "severity"),
    [(0.001, Severity.LOW), (0.03, Severity.MEDIUM), (0.5, Severity.HIGH), (None, Severity.MEDIUM)],
)
def test_the_impact_of_a_feature_decides_if_no_loss_is_known(
    impact: float | None, severity: Severity
) -> None:
    moved = drift(3.0).model_copy(update={"impact": impact, "p_value": 1e-300})

    assert compute_severity([moved], performance=None, tolerance=0.02, corrupt=False) is severity


def test_a_loss_that_chance_may_explain_does_not_decide() -> None:
    noise = change(0.2).model_copy(update={"degraded": False})

    assert compute_severity([], performance=noise, tolerance=0.02, corrupt=False) is Severity.LOW
    assert (
        compute_severity([drift(0.3)], performance=noise, tolerance=0.02, corrupt=False)
        is Severity.MEDIUM
    )


def test_a_corrupt_window_is_at_least_high() -> None:
    mild = compute_severity([], performance=change(0.0), tolerance=0.02, corrupt=True)
    grave = compute_severity([], performance=change(0.5), tolerance=0.02, corrupt=True)

    assert (mild, grave) == (Severity.HIGH, Severity.CRITICAL)

"""Says what is shown of a finding: a window of a model's data beside its reference."""

from collections.abc import Iterator

from trimtab.charts.text import join_names
from trimtab.charts.views import (
    COLUMNS_NAMED,
    DISTANCE_UNITS,
    FeatureView,
    View,
    format_rows,
)
from trimtab.contracts.drift import (
    DriftFinding,
    FeatureDrift,
    PerformanceChange,
    PerformanceEstimate,
)
from trimtab.contracts.model import Sensitivity


def build_finding_view(finding: DriftFinding, *, shows_severity: bool = True) -> View:
    """Return what is shown of a finding, in the finding's order of columns."""
    drifted = len(finding.drifted)
    names = join_names([each.name for each in finding.drifted], limit=COLUMNS_NAMED)
    summary = f"{drifted} of {len(finding.features)} columns drifted"
    summary += f" ({names})." if drifted else "."
    if finding.corrupt:
        summary = f"do not train on this window. {summary}"
    return View(
        title=finding.model,
        state="corrupt" if finding.corrupt else "drift" if drifted else "no drift",
        alarming=finding.corrupt or bool(drifted),
        summary=summary,
        facts=tuple(_list_facts(finding, shows_severity=shows_severity)),
        legend=f"A column drifts if PSI reaches the tick and the test agrees. {DISTANCE_UNITS}",
        faults=finding.quality,
        features=tuple(_view_feature(feature) for feature in finding.features),
    )


def _list_facts(finding: DriftFinding, *, shows_severity: bool) -> Iterator[tuple[str, str]]:
    for name, window in (("reference", finding.reference), ("current", finding.current)):
        times = f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M}"
        yield name, f"{times} ({format_rows(window.rows)})"
    if shows_severity:
        yield "severity", finding.severity.value
    if finding.champion_version:
        yield "champion", f"version {finding.champion_version}"
    if measured := finding.performance:
        change = f"{measured.reference:.3f} → {measured.current:.3f}"
        loss = _explain_loss(measured, measured.current)
        yield measured.metric, f"{change} on {measured.rows:,} labelled rows ({loss})"
    if estimate := finding.estimate:
        change = f"{estimate.reference:.3f} → {estimate.estimated:.3f}"
        loss = _explain_loss(estimate, estimate.estimated)
        yield f"{estimate.metric}, estimated", f"{change} without labels ({loss})"
    if finding.concept_loss is not None:
        loss = f"a loss of {finding.concept_loss:.3f} that the inputs do not explain"
        yield "concept drift", loss
    if rows := finding.multivariate:
        area = f"AUC {rows.auc:.3f} ({rows.low:.3f} to {rows.high:.3f})"
        yield "all columns at once", f"{area}: {'drift' if rows.drifted else 'no drift'}"


def _explain_loss(found: PerformanceChange | PerformanceEstimate, now: float) -> str:
    """Return whether the metric degraded, and what explains a loss that does not count."""
    if found.degraded:
        return "degraded"
    if now >= found.reference:
        return "no worse"
    error = "" if found.error is None else f" (standard error {found.error:.3f})"
    return f"within the tolerance, or explained by chance{error}"


def _view_feature(feature: FeatureDrift) -> FeatureView:
    return FeatureView(
        name=feature.name,
        kind=feature.kind,
        role=feature.role,
        drifted=feature.drifted,
        why=feature.why,
        change=feature.change,
        threshold=feature.threshold if feature.threshold is not None else Sensitivity().psi,
        psi=feature.psi,
        jensen_shannon=feature.jensen_shannon,
        wasserstein=feature.wasserstein,
        total_variation=feature.total_variation,
        test=feature.test,
        p=feature.p_value,
        impact=feature.impact,
        nulls=(feature.null_fraction_reference, feature.null_fraction_current),
        means=(feature.mean_reference, feature.mean_current),
    )

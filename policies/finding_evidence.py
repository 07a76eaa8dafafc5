"""Turns the finding of a drift event into evidence items.

Citations quote the statements word for word, and a workflow that replays builds them again. A
changed word would lower the confidence of every incident that is under way.
"""

from typing import Final

from policies.signal_evidence import build_signal_items
from trimtab.contracts import evidence_ids
from trimtab.contracts.drift import DriftFinding, FeatureDrift, FeatureRole, QualityFault
from trimtab.contracts.evidence import EvidenceItem, EvidenceSource

_MAX_FOREIGN_LENGTH: Final = 3000
"""Characters of the event's own words that a statement may hold."""


def build_finding_items(finding: DriftFinding) -> tuple[EvidenceItem, ...]:
    """Return an item for everything that the finding holds, columns in their order."""
    optional = (
        _build_performance_item(finding),
        _build_estimate_item(finding),
        _build_concept_item(finding),
        _build_multivariate_item(finding),
    )
    return (
        _build_window_item(finding),
        *(_build_drift_item(feature) for feature in finding.features),
        *(_build_quality_item(fault) for fault in finding.quality),
        *(item for item in optional if item is not None),
        *build_signal_items(finding),
    )


def _build_window_item(finding: DriftFinding) -> EvidenceItem:
    current, reference = finding.current, finding.reference
    return EvidenceItem(
        id=evidence_ids.WINDOW_ROWS_ID,
        source=EvidenceSource.DRIFT,
        statement=(
            f"The current window {current.start:%Y-%m-%d %H:%M} to {current.end:%Y-%m-%d %H:%M} "
            f"has {current.rows} rows, the reference {reference.rows} rows; "
            f"the detector rates the drift {finding.severity}."
        ),
        value=float(current.rows),
    )


def _build_drift_item(feature: FeatureDrift) -> EvidenceItem:
    means = ""
    if feature.mean_reference is not None and feature.mean_current is not None:
        means = f", mean {feature.mean_reference:.4g} before and {feature.mean_current:.4g} now"
    nulls = ""
    if feature.null_fraction_current != feature.null_fraction_reference:
        nulls = (
            f", nulls {feature.null_fraction_reference:.1%} before "
            f"and {feature.null_fraction_current:.1%} now"
        )
    measured = f"PSI {feature.psi:.3f}, Jensen-Shannon distance {feature.jensen_shannon:.3f}"
    if feature.psi == feature.jensen_shannon == 0 and feature.why:
        # Another detector measured something else, and says what.
        measured = f"{feature.why:.{_MAX_FOREIGN_LENGTH}}".rstrip(".")
    return EvidenceItem(
        id=evidence_ids.build_drift_id(feature.name),
        source=EvidenceSource.DRIFT,
        statement=(
            f"The {feature.role} {feature.name} {'drifted' if feature.drifted else 'is stable'}: "
            f"{measured}{means}{nulls}{_format_impact(feature)}."
        ),
        value=feature.psi,
        column=feature.name,
        role=feature.role,
        drifted=feature.drifted,
    )


def _format_impact(feature: FeatureDrift) -> str:
    if not feature.drifted or feature.impact is None or feature.role is not FeatureRole.FEATURE:
        return ""
    return f", which may cost {feature.impact:.3f} of the metric"


def _build_quality_item(fault: QualityFault) -> EvidenceItem:
    consequence = "This corrupts the window." if fault.corrupt else "The window is still usable."
    return EvidenceItem(
        id=evidence_ids.build_quality_id(fault.kind, fault.column),
        source=EvidenceSource.QUALITY,
        statement=(
            f"{fault.detail:.{_MAX_FOREIGN_LENGTH}} ({fault.fraction:.1%} of rows). {consequence}"
        ),
        value=fault.fraction,
        column=fault.column,
        fault=fault.kind,
    )


def _build_performance_item(finding: DriftFinding) -> EvidenceItem | None:
    change = finding.performance
    if change is None:
        return None
    judgement = "more loss than is tolerated" if change.degraded else "within tolerance"
    return EvidenceItem(
        id=evidence_ids.CHAMPION_PERFORMANCE_ID,
        source=EvidenceSource.PERFORMANCE,
        statement=(
            f"The champion's {change.metric} was {change.reference:.3f} on held-out reference "
            f"rows and is {change.current:.3f} on {change.rows} labelled rows of the current "
            f"window: {judgement}."
        ),
        value=change.current - change.reference,
        degraded=change.degraded,
    )


def _build_estimate_item(finding: DriftFinding) -> EvidenceItem | None:
    found = finding.estimate
    if found is None:
        return None
    judgement = "covariate shift costs more than is tolerated"
    if not found.degraded:
        judgement = "covariate shift costs no more than is tolerated"
    return EvidenceItem(
        id=evidence_ids.ESTIMATED_PERFORMANCE_ID,
        source=EvidenceSource.PERFORMANCE,
        statement=(
            f"Judged by its inputs alone, without labels, the champion's {found.metric} is "
            f"expected to be {found.estimated:.3f} on {found.rows} rows of the current window, "
            f"where the same estimate is {found.reference:.3f} on held-out reference rows: "
            f"{judgement}."
        ),
        value=found.estimated - found.reference,
        degraded=found.degraded,
    )


def _build_concept_item(finding: DriftFinding) -> EvidenceItem | None:
    loss = finding.concept_loss
    if loss is None:
        return None
    stated = f"{loss:.3f} of the lost metric is more than covariate shift explains"
    if loss == 0.0:
        stated = (
            "Beyond chance, no loss of the metric is left that covariate shift does not explain"
        )
    meaning = "the same inputs have come to mean another target" if loss else "no concept drift"
    return EvidenceItem(
        id=evidence_ids.CONCEPT_LOSS_ID,
        source=EvidenceSource.PERFORMANCE,
        statement=f"{stated}: {meaning}.",
        value=loss,
    )


def _build_multivariate_item(finding: DriftFinding) -> EvidenceItem | None:
    found = finding.multivariate
    if found is None:
        return None
    by = ", ".join(list(found.importance)[:3])
    return EvidenceItem(
        id=evidence_ids.ALL_INPUTS_ID,
        source=EvidenceSource.DRIFT,
        statement=(
            f"A classifier tells rows of the current window from reference rows with an AUC of "
            f"{found.auc:.3f} (95 % interval {found.low:.3f} to {found.high:.3f}, 0.5 is no "
            f"drift){f', mostly by {by}' if by else ''}: taken together, the inputs "
            f"{'drifted' if found.drifted else 'are stable'}."
        ),
        value=found.auc,
        drifted=found.drifted,
    )

"""Turns what was measured and read into citable statements, each with an id."""

from collections.abc import Iterable
from datetime import datetime

from trimtab.contracts import evidence_ids
from trimtab.contracts.drift import DriftFinding, FeatureDrift, FeatureRole, QualityFault
from trimtab.contracts.evidence import (
    Document,
    EvidenceItem,
    EvidencePack,
    EvidenceSource,
    RegistryFacts,
)
from trimtab.contracts.model import ModelVersion, VersionMetric

MEASURED_VERSIONS = 3
"""How many versions are scored on the newest labelled rows: the champion and earlier ones."""
MOSTLY = 0.5
"""Share of a loss that gives it its name."""
_TOLD = 3000
"""Signs of somebody else's words that a statement has room for."""


def compose(
    finding: DriftFinding,
    registry: RegistryFacts,
    metrics: Iterable[VersionMetric],
    documents: tuple[Document, ...],
    *,
    now: datetime,
) -> EvidencePack:
    """Everything the agents may cite about one incident."""
    champion = registry.champion.version if registry.champion else None
    items = (
        _window(finding),
        *(_drift(feature) for feature in finding.features),
        *(_quality(fault) for fault in finding.quality),
        *_performance(finding),
        *_estimate(finding),
        *_concept(finding),
        *_apart(finding),
        *(_metric(metric, champion) for metric in metrics),
        *_registry(registry),
    )
    unique = {item.id: item for item in reversed(items)}
    return EvidencePack(
        items=tuple(item for item in items if unique[item.id] is item),
        documents=documents,
        champion_version=champion,
        last_action_at=registry.last_action_at,
        collected_at=now,
    )


def versions_to_measure(registry: RegistryFacts) -> tuple[str, ...]:
    """The champion first, then the newest others."""
    if registry.champion is None:
        return ()
    champion = registry.champion.version
    others = [version.version for version in registry.versions if version.version != champion]
    return (champion, *others)[:MEASURED_VERSIONS]


def describe(finding: DriftFinding) -> str:
    """The finding in words, to look for similar cases with."""
    drifted = ", ".join(f"{feature.role} {feature.name}" for feature in finding.drifted[:5])
    faults = ", ".join(fault.kind.replace("_", " ") for fault in finding.quality[:5])
    sentences = [f"Drift of {drifted}." if drifted else "No column's distribution drifted."]
    if faults:
        sentences.append(f"Data quality faults: {faults}.")
    if any(feature.role is FeatureRole.TARGET for feature in finding.drifted):
        sentences.append("The distribution of the target moved: label shift.")
    sentences.append(_performance_in_words(finding))
    return " ".join(sentences)


def _performance_in_words(finding: DriftFinding) -> str:
    change, estimate = finding.performance, finding.estimate
    if change is None and estimate is not None and estimate.degraded:
        return "No labels have come yet; the model is expected to do worse on these inputs."
    if change is None:
        return "No labels have come yet."
    if change.degraded:
        return f"The model's performance degraded on labelled rows{_why(finding)}"
    return "The model's performance has not degraded: the drift looks harmless."


def _why(finding: DriftFinding) -> str:
    """What the loss is put down to, where it was parted."""
    change, beyond = finding.performance, finding.concept_loss
    if change is None or beyond is None:
        return "; should it be retrained?"
    if beyond >= MOSTLY * (change.reference - change.current):
        return ", and not for its inputs: the same inputs have come to mean another target."
    return ", for its inputs: they moved to where the model errs more."


def _window(finding: DriftFinding) -> EvidenceItem:
    current, reference = finding.current, finding.reference
    return EvidenceItem(
        id=evidence_ids.WINDOW_ROWS,
        source=EvidenceSource.DRIFT,
        statement=(
            f"The current window {current.start:%Y-%m-%d %H:%M} to {current.end:%Y-%m-%d %H:%M} "
            f"has {current.rows} rows, the reference {reference.rows} rows; "
            f"the detector rates the drift {finding.severity}."
        ),
        value=float(current.rows),
    )


def _drift(feature: FeatureDrift) -> EvidenceItem:
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
        measured = f"{feature.why:.{_TOLD}}".rstrip(".")  # another detector measured something else
    return EvidenceItem(
        id=evidence_ids.build_drift_id(feature.name),
        source=EvidenceSource.DRIFT,
        statement=(
            f"The {feature.role} {feature.name} {'drifted' if feature.drifted else 'is stable'}: "
            f"{measured}{means}{nulls}{_cost(feature)}."
        ),
        value=feature.psi,
        column=feature.name,
        role=feature.role,
        drifted=feature.drifted,
    )


def _cost(feature: FeatureDrift) -> str:
    if not feature.drifted or feature.impact is None or feature.role is not FeatureRole.FEATURE:
        return ""
    return f", which may cost {feature.impact:.3f} of the metric"


def _quality(fault: QualityFault) -> EvidenceItem:
    gravity = "This corrupts the window." if fault.corrupt else "The window is still usable."
    return EvidenceItem(
        id=evidence_ids.build_quality_id(fault.kind, fault.column),
        source=EvidenceSource.QUALITY,
        statement=f"{fault.detail:.{_TOLD}} ({fault.fraction:.1%} of rows). {gravity}",
        value=fault.fraction,
        column=fault.column,
        fault=fault.kind,
    )


def _performance(finding: DriftFinding) -> tuple[EvidenceItem, ...]:
    change = finding.performance
    if change is None:
        return ()
    judgement = "more loss than is tolerated" if change.degraded else "within tolerance"
    return (
        EvidenceItem(
            id=evidence_ids.CHAMPION_PERFORMANCE,
            source=EvidenceSource.PERFORMANCE,
            statement=(
                f"The champion's {change.metric} was {change.reference:.3f} on held-out reference "
                f"rows and is {change.current:.3f} on {change.rows} labelled rows of the current "
                f"window: {judgement}."
            ),
            value=change.current - change.reference,
            degraded=change.degraded,
        ),
    )


def _estimate(finding: DriftFinding) -> tuple[EvidenceItem, ...]:
    found = finding.estimate
    if found is None:
        return ()
    judgement = "covariate shift costs more than is tolerated"
    if not found.degraded:
        judgement = "covariate shift costs no more than is tolerated"
    return (
        EvidenceItem(
            id=evidence_ids.ESTIMATED_PERFORMANCE,
            source=EvidenceSource.PERFORMANCE,
            statement=(
                f"Judged by its inputs alone, without labels, the champion's {found.metric} is "
                f"expected to be {found.estimated:.3f} on {found.rows} rows of the current window, "
                f"where the same estimate is {found.reference:.3f} on held-out reference rows: "
                f"{judgement}."
            ),
            value=found.estimated - found.reference,
            degraded=found.degraded,
        ),
    )


def _concept(finding: DriftFinding) -> tuple[EvidenceItem, ...]:
    loss = finding.concept_loss
    if loss is None:
        return ()
    said = f"{loss:.3f} of the lost metric is more than covariate shift explains"
    if loss == 0.0:
        said = "Beyond chance, no loss of the metric is left that covariate shift does not explain"
    meaning = "the same inputs have come to mean another target" if loss else "no concept drift"
    return (
        EvidenceItem(
            id=evidence_ids.CONCEPT_LOSS,
            source=EvidenceSource.PERFORMANCE,
            statement=f"{said}: {meaning}.",
            value=loss,
        ),
    )


def _apart(finding: DriftFinding) -> tuple[EvidenceItem, ...]:
    found = finding.multivariate
    if found is None:
        return ()
    by = ", ".join(list(found.importance)[:3])
    return (
        EvidenceItem(
            id=evidence_ids.ALL_INPUTS,
            source=EvidenceSource.DRIFT,
            statement=(
                f"A classifier tells rows of the current window from reference rows with an AUC of "
                f"{found.auc:.3f} (95 % interval {found.low:.3f} to {found.high:.3f}, 0.5 is no "
                f"drift){f', mostly by {by}' if by else ''}: taken together, the inputs "
                f"{'drifted' if found.drifted else 'are stable'}."
            ),
            value=found.auc,
            drifted=found.drifted,
        ),
    )


def _metric(metric: VersionMetric, champion: str | None) -> EvidenceItem:
    role = "the champion" if metric.version == champion else "not the champion"
    return EvidenceItem(
        id=evidence_ids.build_metric_id(metric.version),
        source=EvidenceSource.PERFORMANCE,
        statement=(
            f"Version {metric.version} ({role}) has {metric.metric} {metric.value:.3f} "
            f"on the newest {metric.rows} labelled rows."
        ),
        value=metric.value,
        version=metric.version,
    )


def _registry(registry: RegistryFacts) -> tuple[EvidenceItem, ...]:
    items = [_version(version) for version in registry.versions[:MEASURED_VERSIONS]]
    if registry.champion is not None:
        items.append(
            EvidenceItem(
                id=evidence_ids.CHAMPION,
                source=EvidenceSource.REGISTRY,
                statement=f"The champion is version {registry.champion.version}.",
                version=registry.champion.version,
            )
        )
    acted = registry.last_action_at
    items.append(
        EvidenceItem(
            id=evidence_ids.LAST_ACTION,
            source=EvidenceSource.REGISTRY,
            statement=(
                f"The model was last acted upon at {acted:%Y-%m-%d %H:%M}."
                if acted
                else "The model has never been acted upon."
            ),
        )
    )
    return tuple(items)


def _version(version: ModelVersion) -> EvidenceItem:
    span = ""
    if version.trained_on is not None:
        rows = version.trained_on
        span = f" on rows from {rows.start:%Y-%m-%d} to {rows.end:%Y-%m-%d}"
    return EvidenceItem(
        id=evidence_ids.build_version_id(version.version),
        source=EvidenceSource.REGISTRY,
        statement=f"Version {version.version} was trained{span}.",
        version=version.version,
    )

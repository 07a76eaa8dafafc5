"""Composes the evidence on one incident: citable statements, each with its own id."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from policies.finding_evidence import build_finding_items
from policies.rollback import list_former_champions
from trimtab.contracts import evidence_ids
from trimtab.contracts.drift import DriftFinding
from trimtab.contracts.evidence import (
    Document,
    EvidenceItem,
    EvidencePack,
    EvidenceSource,
    RegistryFacts,
)
from trimtab.contracts.fitted import expected_metric_name
from trimtab.contracts.model import ModelVersion, UnscorableVersion, VersionMetric

MAX_MEASURED_VERSIONS: Final = 3
"""Number of versions that are scored on the newest labelled rows, the champion included."""


def compose_evidence(
    finding: DriftFinding,
    registry: RegistryFacts,
    measured: Iterable[VersionMetric | UnscorableVersion],
    documents: tuple[Document, ...],
    *,
    now: datetime,
) -> EvidencePack:
    """Return the evidence that the agents may cite about one incident.

    Of several items with the same id, the first one is kept.
    """
    champion = registry.champion.version if registry.champion else None
    measured = tuple(measured)
    metrics = tuple(each for each in measured if isinstance(each, VersionMetric))
    items = (
        *build_finding_items(finding),
        *(_build_measured_item(each, champion) for each in measured),
        *_build_registry_items(registry),
    )
    unique = {item.id: item for item in reversed(items)}
    return EvidencePack(
        items=tuple(item for item in items if unique[item.id] is item),
        documents=documents,
        champion_version=champion,
        last_action_at=registry.last_action_at,
        collected_at=now,
        former_champions=list_former_champions(registry, before=finding.current.start),
        measurements=metrics,
        champion_trained_until=_find_training_end(registry),
        champion_reference=_find_reference_metric(registry, metrics),
    )


def select_versions_to_measure(registry: RegistryFacts, *, before: datetime) -> tuple[str, ...]:
    """Return the champion, its newest predecessors, and then the newest other versions.

    A predecessor was champion before, and may be returned to. A challenger that never was champion
    is measured only if there is room. Without a champion, nothing is measured.
    """
    if registry.champion is None:
        return ()
    champion = registry.champion.version
    former = list_former_champions(registry, before=before)
    others = (version.version for version in registry.versions)
    return tuple(dict.fromkeys([champion, *former, *others]))[:MAX_MEASURED_VERSIONS]


def _find_training_end(registry: RegistryFacts) -> datetime | None:
    champion = registry.champion
    return champion.trained_on.end if champion and champion.trained_on else None


def _find_reference_metric(
    registry: RegistryFacts, metrics: Iterable[VersionMetric]
) -> float | None:
    """Return the metric that the champion must keep: its own, or the first champion's if better."""
    champion = registry.champion
    if champion is None:
        return None
    measured = {each.metric for each in metrics if each.version == champion.version}
    names = {name for metric in measured for name in (metric, expected_metric_name(metric))}
    return max((champion.metrics[name] for name in names & set(champion.metrics)), default=None)


def _build_measured_item(
    measured: VersionMetric | UnscorableVersion, champion: str | None
) -> EvidenceItem:
    role = "the champion" if measured.version == champion else "not the champion"
    if isinstance(measured, VersionMetric):
        return _build_metric_item(measured, role)
    return EvidenceItem(
        id=evidence_ids.build_unscorable_id(measured.version),
        source=EvidenceSource.PERFORMANCE,
        statement=(
            f"Version {measured.version} ({role}) cannot be scored on the newest labelled rows:"
            f" {measured.reason.rstrip('.')}."
        ),
        version=measured.version,
    )


def _build_metric_item(metric: VersionMetric, role: str) -> EvidenceItem:
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


def _build_registry_items(registry: RegistryFacts) -> tuple[EvidenceItem, ...]:
    items = [_build_version_item(version) for version in registry.versions[:MAX_MEASURED_VERSIONS]]
    if registry.champion is not None:
        items.append(
            EvidenceItem(
                id=evidence_ids.CHAMPION_ID,
                source=EvidenceSource.REGISTRY,
                statement=f"The champion is version {registry.champion.version}.",
                version=registry.champion.version,
            )
        )
    acted = registry.last_action_at
    items.append(
        EvidenceItem(
            id=evidence_ids.LAST_ACTION_ID,
            source=EvidenceSource.REGISTRY,
            statement=(
                f"The model was last acted upon at {acted:%Y-%m-%d %H:%M}."
                if acted
                else "The model has never been acted upon."
            ),
        )
    )
    return tuple(items)


def _build_version_item(version: ModelVersion) -> EvidenceItem:
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

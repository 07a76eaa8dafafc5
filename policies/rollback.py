"""Says which versions a champion may be rolled back to.

A version is fit as a target if it is older than the champion, was champion before, and is measured
on the newest labelled rows, on which it is better than the champion by more than a margin.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from trimtab.contracts.evidence import EvidencePack, RegistryFacts
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.tags import ROLE_TAG, build_promotion_tag

_TRAINED_AS_CHAMPION: Final = "champion"
_PROMOTION_DONE: Final = "done"


def explain_unfit_target(
    target: str | None,
    *,
    champion: str | None,
    metrics: Mapping[str, float],
    former_champions: Collection[str],
    margin: float,
) -> str:
    """Return why the champion must not be rolled back to a version; empty if it may be.

    Args:
        target: The version to return to.
        champion: The champion's version.
        metrics: Metric by version on the newest labelled rows; higher is better.
        former_champions: Versions that were champion before.
        margin: How much better than the champion the target must be.
    """
    if target is None:
        return "the rollback names no target version"
    if champion is None:
        return "the model has no champion to roll back"
    if not 0 <= parse_version_number(target) < parse_version_number(champion):
        return f"version {target} is not older than the champion {champion}"
    if target not in former_champions:
        return f"version {target} is not known to have been champion before"
    before, after = metrics.get(champion), metrics.get(target)
    if before is None or after is None:
        return f"versions {target} and {champion} are not both measured on the newest rows"
    return "" if after - before > margin else _format_figures(target, after, before, margin)


def _format_figures(target: str, after: float, before: float, margin: float) -> str:
    return (
        f"version {target} has {after:.3f} on the newest rows and the champion {before:.3f}: "
        f"not better by more than {margin:g}"
    )


def list_fit_targets(pack: EvidencePack, *, margin: float) -> tuple[str, ...]:
    """Return the versions that the champion may be rolled back to, by the evidence."""
    metrics = pack.measured_metrics
    return tuple(
        version
        for version in metrics
        if not explain_unfit_target(
            version,
            champion=pack.champion_version,
            metrics=metrics,
            former_champions=pack.former_champions,
            margin=margin,
        )
    )


def list_former_champions(registry: RegistryFacts, *, before: datetime) -> tuple[str, ...]:
    """Return the older versions that were champion before, the newest first.

    Args:
        registry: The model as the registry holds it.
        before: Start of the newest rows. A version that was trained on rows from then on is left
            out: its metric on them would be too good.
    """
    if registry.champion is None:
        return ()
    champion = parse_version_number(registry.champion.version)
    return tuple(
        each.version
        for each in registry.versions
        if parse_version_number(each.version) < champion
        and was_champion(each)
        and (each.trained_on is None or each.trained_on.end <= before)
    )


def was_champion(version: ModelVersion) -> bool:
    """Return whether the registry's tags say that a version was made champion at some time."""
    trained = version.tags.get(ROLE_TAG) == _TRAINED_AS_CHAMPION
    prefix = build_promotion_tag("")
    return trained or any(
        name.startswith(prefix) and state == _PROMOTION_DONE for name, state in version.tags.items()
    )


def parse_version_number(version: str) -> int:
    """Return the version's number, by which registries order them; -1 if it is no number."""
    return int(version) if version.isascii() and version.isdecimal() else -1

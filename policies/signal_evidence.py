"""Turns the measurements that tell causes apart into evidence items.

As in `policies.finding_evidence`, the statements are quoted word for word.
"""

from collections.abc import Iterator
from typing import Final

from trimtab.contracts import evidence_ids
from trimtab.contracts.drift import DriftFinding, PerformanceChange
from trimtab.contracts.evidence import EvidenceItem, EvidenceSource
from trimtab.contracts.window_signals import (
    Learnability,
    SeasonalMatch,
    ShadowChallenger,
    SupportSplit,
)

_MIN_LEARNT_SHARE: Final = 0.4
"""Share of the reference's skill that a window must let a fresh model have to be learnable."""
_SKILL_ERRORS: Final = 2.0
"""Standard errors above a trivial model at which a champion has skill."""
_SAME_SEASON_RATIO: Final = 0.5
"""PSI against the same season, relative to that against the reference, up to which both match."""


def build_signal_items(finding: DriftFinding) -> tuple[EvidenceItem, ...]:
    """Return an item for each measurement that was made."""
    return tuple(_build_items(finding))


def _build_items(finding: DriftFinding) -> Iterator[EvidenceItem]:
    if finding.performance and finding.performance.trivial is not None:
        yield _build_skill_item(finding.performance, finding.performance.trivial)
    found = finding.signals
    if found is None:
        return
    if found.learnability:
        yield _build_learnability_item(found.learnability)
    if found.support:
        yield _build_support_item(found.support)
    if found.challenger:
        yield _build_challenger_item(found.challenger)
    if found.season:
        yield _build_season_item(found.season)
    if found.new_category_share is not None:
        share = found.new_category_share
        yield EvidenceItem(
            id=evidence_ids.NEW_CATEGORIES_ID,
            source=EvidenceSource.DRIFT,
            statement=f"{share:.1%} of the rows are of categories that the reference has not.",
            value=share,
            drifted=share > 0.0,
        )


def _build_skill_item(change: PerformanceChange, trivial: float) -> EvidenceItem:
    skill = change.reference - trivial
    unskilled = skill <= _SKILL_ERRORS * (change.error or 0.0)
    judgement = "no better than that beyond chance" if unskilled else "better than that"
    return EvidenceItem(
        id=evidence_ids.SKILL_ID,
        source=EvidenceSource.PERFORMANCE,
        statement=(
            f"A model that knows only how often each target occurs has {change.metric} "
            f"{trivial:.3f}; the champion had {change.reference:.3f} on the reference: {judgement}."
        ),
        value=skill,
        degraded=unskilled,
    )


def _build_learnability_item(found: Learnability) -> EvidenceItem:
    reference = found.reference
    before = "" if reference is None else f", and {reference:.3f} on the reference"
    possible = (reference if reference is not None else found.value) - found.trivial
    kept = (found.value - found.trivial) / possible if possible > 0.0 else 0.0
    lost = kept < _MIN_LEARNT_SHARE
    judgement = "hardly anything can be learnt from the window" if lost else "it can be learnt"
    return EvidenceItem(
        id=evidence_ids.LEARNABILITY_ID,
        source=EvidenceSource.PERFORMANCE,
        statement=(
            f"A fresh model of the window's own {found.rows} labelled rows has {found.value:.3f} "
            f"on rows that it has not seen (trivial {found.trivial:.3f}{before}): {judgement}."
        ),
        value=found.value,
        degraded=lost,
    )


def _build_support_item(found: SupportSplit) -> EvidenceItem:
    inside = "unknown" if found.inside is None else f"{found.inside:.3f}"
    outside = "unknown" if found.outside is None else f"{found.outside:.3f}"
    expected, error = found.inside_reference, found.inside_error or 0.0
    worse = (
        None
        if found.inside is None or expected is None
        else expected - found.inside > 2.0 * error and expected > found.inside
    )
    return EvidenceItem(
        id=evidence_ids.SUPPORT_ID,
        source=EvidenceSource.PERFORMANCE,
        statement=(
            f"{found.share_outside:.1%} of the labelled rows are unlike the training rows. The "
            f"metric is {inside} on rows like them and {outside} on the others"
            f"{'' if expected is None else f', where {expected:.3f} was to be expected inside'}."
        ),
        value=found.share_outside,
        degraded=worse,
    )


def _build_challenger_item(found: ShadowChallenger) -> EvidenceItem:
    error = "" if found.error is None else f" (standard error {found.error:.3f})"
    return EvidenceItem(
        id=evidence_ids.CHALLENGER_ID,
        source=EvidenceSource.PERFORMANCE,
        statement=(
            f"A model of the newest rows has {found.challenger:.3f} beside the champion's "
            f"{found.champion:.3f} on {found.rows} rows that neither has learnt from: "
            f"{found.gain:+.3f}{error}."
        ),
        value=found.gain,
        degraded=found.gain > _SKILL_ERRORS * (found.error or 0.0),
    )


def _build_season_item(found: SeasonalMatch) -> EvidenceItem:
    alike = found.season_psi < _SAME_SEASON_RATIO * found.reference_psi
    return EvidenceItem(
        id=evidence_ids.SEASON_ID,
        source=EvidenceSource.DRIFT,
        statement=(
            f"The columns that moved have a PSI of {found.reference_psi:.3f} against the reference "
            f"and {found.season_psi:.3f} against the window {found.period_days:g} days earlier: "
            f"the window {'looks' if alike else 'does not look'} like that season."
        ),
        value=found.season_psi,
        drifted=alike,
    )

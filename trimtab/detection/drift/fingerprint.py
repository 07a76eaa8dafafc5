"""Tells whether a drift is the one that was announced before, so that it is not announced again.

Time is the data's own here, never the clock's: a replay of past windows gives the same answers.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from trimtab.contracts.base import compute_digest
from trimtab.contracts.drift import DriftFinding, FeatureDrift, FeatureKind
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.monitoring import Announcement, Suppression, SuppressionReason
from trimtab.detection.drift.data_quality import announces
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile

LONGEST_MOVE: Final = 30
"""Characters of one move; a longer one is cut and told apart by a digest."""
MOST_MOVES: Final = 200
STILL: Final = 0.1
"""Difference of means, in standard deviations, below which neither is called higher."""


def announcement_of(
    finding: DriftFinding,
    spec: ModelSpec,
    *,
    event_id: str,
    as_of: datetime,
    profiles: tuple[WindowProfile, WindowProfile] | None = None,
) -> Announcement:
    """What would be announced; `profiles`, reference and current, tell directions better."""
    against = finding.champion_version or finding.reference_profile_uri
    return Announcement(
        event_id=event_id,
        subject=compute_digest([finding.model, against, spec.reference.value])[:16],
        moves=tuple(sorted(set(_moves(finding, profiles)))[:MOST_MOVES]),
        severity=finding.severity,
        as_of=as_of,
    )


def fingerprint_of(
    finding: DriftFinding,
    spec: ModelSpec,
    *,
    profiles: tuple[WindowProfile, WindowProfile] | None = None,
) -> str:
    """The same for the same drift: model, champion, and what moved in which direction."""
    about = announcement_of(
        finding, spec, event_id="-", as_of=finding.current.end, profiles=profiles
    )
    return about.fingerprint


def find_suppression(
    announcement: Announcement, earlier: Iterable[Announcement], *, cooldown: timedelta
) -> Suppression | None:
    """Return why the drift need not be announced again, or None if it must be announced.

    It is suppressed if all of its changes were announced within the cooldown, by one event or by
    several, and at least one of these was as severe. The same event again never suppresses itself,
    and neither does an announcement with a later `as_of`.
    """
    before = [each for each in earlier if _precedes(each, announcement, cooldown)]
    if set(announcement.moves) - {move for each in before for move in each.moves}:
        return None
    worst = max(before, key=lambda each: (each.severity.rank, each.as_of), default=None)
    if worst is None or announcement.severity.rank > worst.severity.rank:
        return None
    newest = [max(e.as_of for e in before if move in e.moves) for move in announcement.moves]
    return Suppression(
        reason=SuppressionReason.ALREADY_ANNOUNCED,
        event_id=worst.event_id,
        severity=worst.severity,
        until=min(newest) + cooldown,
    )


def _precedes(earlier: Announcement, later: Announcement, cooldown: timedelta) -> bool:
    """Whether one about the same, or a part of it, went out within the cooldown before."""
    return (
        earlier.subject == later.subject
        and earlier.event_id != later.event_id
        and later.as_of - cooldown < earlier.as_of <= later.as_of
        and not set(earlier.moves).isdisjoint(later.moves)
    )


def _moves(
    finding: DriftFinding, profiles: tuple[WindowProfile, WindowProfile] | None
) -> Iterator[str]:
    for drift in finding.drifted:
        pair = profiles and tuple(each.find(drift.name) for each in profiles)
        yield _move(f"{drift.name} {_direction(drift, pair)}")
    for fault in finding.quality:
        if announces(fault):
            yield _move(f"{fault.kind} {fault.column or ''}".strip())
    if finding.performance and finding.performance.degraded:
        yield "performance"
    if finding.estimate and finding.estimate.degraded:
        yield "estimated performance"
    if finding.multivariate and finding.multivariate.drifted:
        yield "rows as a whole"


def _move(text: str) -> str:
    if len(text) <= LONGEST_MOVE:
        return text
    return f"{text[: LONGEST_MOVE - 9]}~{compute_digest([text])[:8]}"


def _direction(drift: FeatureDrift, pair: tuple[ColumnProfile | None, ...] | None) -> str:
    """Up or down for numbers, which category gained most for categories, "moved" where unknown."""
    before, now = pair or (None, None)
    if drift.kind is FeatureKind.CATEGORICAL:
        return _gain(before, now) if before and now else "moved"
    if drift.mean_reference is None or drift.mean_current is None:
        return "moved"
    difference = drift.mean_current - drift.mean_reference
    if before and before.std and abs(difference) < STILL * before.std:
        return "moved"
    return "up" if difference > 0 else "down"


def _gain(before: ColumnProfile, now: ColumnProfile) -> str:
    """The category whose share grew most; counts of both are over the reference's categories."""
    names = (*before.categories, *["others"] * before.others)
    gains = [
        (now_count / max(now.present, 1) - then_count / max(before.present, 1), name)
        for name, then_count, now_count in zip(names, before.counts, now.counts, strict=False)
    ]
    return f"to {max(gains)[1]}" if gains else "moved"

"""Identifies a drift, so that one that was announced already is not announced again.

Time here is the data's own, never the clock's: replaying past windows gives the same results.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from trimtab.contracts.base import compute_digest
from trimtab.contracts.drift import DriftFinding, FeatureDrift, FeatureKind, QualityFault
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.monitoring import Announcement, Suppression, SuppressionReason
from trimtab.detection.drift.quality_faults import warrants_event
from trimtab.detection.drift.signal_changes import list_signal_changes
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile

MAX_CHANGE_CHARACTERS: Final = 30
"""Characters of one change; a longer one is cut and ends in a digest, so that it stays unique."""
MAX_CHANGES: Final = 200
"""Changes that an announcement holds at most."""
MIN_DIRECTED_CHANGE: Final = 0.1
"""Difference of means, in standard deviations, below which the change has no direction."""


def build_announcement(
    finding: DriftFinding,
    spec: ModelSpec,
    *,
    event_id: str,
    as_of: datetime,
    profiles: tuple[WindowProfile, WindowProfile] | None = None,
) -> Announcement:
    """Return the announcement of a finding.

    `profiles`, reference and current, give the direction of changes more exactly.
    """
    against = finding.champion_version or finding.reference_profile_uri
    return Announcement(
        event_id=event_id,
        subject=compute_digest([finding.model, against, spec.reference.value])[:16],
        moves=tuple(sorted(set(_list_changes(finding, spec, profiles)))[:MAX_CHANGES]),
        severity=finding.severity,
        as_of=as_of,
        faults=_list_open_faults(finding),
    )


def compute_fingerprint(
    finding: DriftFinding,
    spec: ModelSpec,
    *,
    profiles: tuple[WindowProfile, WindowProfile] | None = None,
) -> str:
    """Return a digest that is equal for the same drift.

    It depends on the model, its champion, and which parts changed in which direction. `profiles`
    as for `build_announcement`.
    """
    announcement = build_announcement(
        finding, spec, event_id="-", as_of=finding.current.end, profiles=profiles
    )
    return announcement.fingerprint


def find_suppression(
    announcement: Announcement, earlier: Iterable[Announcement], *, cooldown: timedelta
) -> Suppression | None:
    """Return why the drift need not be announced again, or None if it must be announced.

    It is suppressed if all of its changes were announced within the cooldown, by one event or by
    several, and at least one of these was as severe. The same event again never suppresses itself,
    and neither does an announcement with a later `as_of`.
    """
    announced = [each for each in earlier if not each.note]
    before = [each for each in announced if _precedes(each, announcement, cooldown)]
    if set(announcement.moves) - {change for each in before for change in each.moves}:
        return None
    worst = max(before, key=lambda each: (each.severity.rank, each.as_of), default=None)
    if worst is None or announcement.severity.rank > worst.severity.rank:
        return None
    newest = [max(e.as_of for e in before if change in e.moves) for change in announcement.moves]
    return Suppression(
        reason=SuppressionReason.ALREADY_ANNOUNCED,
        event_id=worst.event_id,
        severity=worst.severity,
        until=min(newest) + cooldown,
    )


def find_open_fault(
    announcement: Announcement, earlier: Iterable[Announcement], *, since: datetime
) -> Announcement | None:
    """Return the note that the announced faults are still there, or None if they are not.

    They are if the window before showed them all, which an announcement or a note with an `as_of`
    after `since` tells, and none of these was less severe. A fault that was gone in the window
    before is a new one.
    """
    before = [
        each
        for each in earlier
        if each.faults
        and each.subject == announcement.subject
        and each.event_id != announcement.event_id
        and since < each.as_of <= announcement.as_of
    ]
    known = {fault for each in before for fault in each.faults}
    worst = max(before, key=lambda each: (each.severity.rank, each.as_of), default=None)
    if worst is None or not announcement.faults or not known.issuperset(announcement.faults):
        return None
    if announcement.severity.rank > worst.severity.rank:
        return None
    return announcement.model_copy(
        update={
            "event_id": worst.event_id,
            "moves": announcement.faults,
            "severity": worst.severity,
            "note": True,
        }
    )


def _list_open_faults(finding: DriftFinding) -> tuple[str, ...]:
    """Return the faults that stay open: the corrupting ones, or else those that warrant an event.

    There is none if the metric has degraded and no fault is grave enough to explain it.
    """
    corrupting = [fault for fault in finding.quality if fault.corrupt]
    degraded = finding.performance is not None and finding.performance.degraded
    lesser = [] if degraded else [fault for fault in finding.quality if warrants_event(fault)]
    named = {_name_fault(fault) for fault in corrupting or lesser}
    return tuple(sorted(named)[:MAX_CHANGES])


def _name_fault(fault: QualityFault) -> str:
    return _shorten_change(f"{fault.kind} {fault.column or ''}".strip())


def _precedes(earlier: Announcement, later: Announcement, cooldown: timedelta) -> bool:
    """Return whether `earlier` shares a change with `later` and lies within the cooldown."""
    return (
        earlier.subject == later.subject
        and earlier.event_id != later.event_id
        and later.as_of - cooldown < earlier.as_of <= later.as_of
        and not set(earlier.moves).isdisjoint(later.moves)
    )


def _list_changes(
    finding: DriftFinding,
    spec: ModelSpec,
    profiles: tuple[WindowProfile, WindowProfile] | None,
) -> Iterator[str]:
    yield from list_signal_changes(finding, tolerance=spec.tolerance)
    for drift in finding.drifted:
        columns = profiles and tuple(each.find(drift.name) for each in profiles)
        yield _shorten_change(f"{drift.name} {_find_direction(drift, columns)}")
    for fault in finding.quality:
        if warrants_event(fault):
            yield _name_fault(fault)
    if finding.performance and finding.performance.degraded:
        yield "performance"
    if finding.estimate and finding.estimate.degraded:
        yield "estimated performance"
    if finding.multivariate and finding.multivariate.drifted:
        yield "rows as a whole"


def _shorten_change(text: str) -> str:
    if len(text) <= MAX_CHANGE_CHARACTERS:
        return text
    return f"{text[: MAX_CHANGE_CHARACTERS - 9]}~{compute_digest([text])[:8]}"


def _find_direction(drift: FeatureDrift, columns: tuple[ColumnProfile | None, ...] | None) -> str:
    """Return "up" or "down" for numbers, the growing category, or "moved" if it is unknown."""
    before, now = columns or (None, None)
    if drift.kind is FeatureKind.CATEGORICAL:
        return _find_growing_category(before, now) if before and now else "moved"
    if drift.mean_reference is None or drift.mean_current is None:
        return "moved"
    difference = drift.mean_current - drift.mean_reference
    if before and before.std and abs(difference) < MIN_DIRECTED_CHANGE * before.std:
        return "moved"
    return "up" if difference > 0 else "down"


def _find_growing_category(before: ColumnProfile, now: ColumnProfile) -> str:
    """Return the category whose share grew most; both count the reference's categories."""
    names = (*before.categories, *["others"] * before.others)
    gains = [
        (now_count / max(now.value_count, 1) - then_count / max(before.value_count, 1), name)
        for name, then_count, now_count in zip(names, before.counts, now.counts, strict=False)
    ]
    return f"to {max(gains)[1]}" if gains else "moved"

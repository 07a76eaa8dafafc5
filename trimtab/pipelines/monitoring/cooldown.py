"""Decides whether a finding is published: harmless drift and repeated drift are only recorded."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.monitoring import Announcement, Suppression, SuppressionReason
from trimtab.detection.drift.fingerprint import (
    build_announcement,
    find_open_fault,
    find_suppression,
)
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.requests import MonitoringRequest

OPEN_INTERVALS: Final = 1.5
"""Intervals between two checks within which the check before must have shown a fault that is still
open: no check in between is then left out."""


class Announcements(Protocol):
    """The announcements of one model so far."""

    def find_recent(
        self, duration: timedelta, *, until: datetime, subject: str
    ) -> Sequence[Announcement]:
        """Return those of the `span` that ends at `until`, in the data's own time."""


class EventProposal(NamedTuple):
    """The event proposed for a window before the cooldown is applied."""

    event: DriftEvent | None
    suppression: Suppression | None = None
    """Why a finding is proposed for no event; None if there is an event or no finding."""


class Publication(NamedTuple):
    """The decision about a window's finding."""

    events: list[DriftEvent]
    """Events to publish: one or none."""
    announcement: Announcement | None = None
    """Announcement to record after the event was published."""
    suppression: Suppression | None = None
    """Why a finding is not published; None if it is, or if nothing was found."""
    note: Announcement | None = None
    """Note to record that the faults of an earlier event are still there."""


def apply_cooldown(
    proposal: EventProposal,
    spec: ModelSpec,
    request: MonitoringRequest,
    profiles: tuple[WindowProfile, WindowProfile],
    announcements: Announcements,
) -> Publication:
    """Publish the proposed event unless its drift was announced within the cooldown.

    A fault of the data stays open, whatever the cooldown, as long as each window shows it: later
    windows are notes on the first event. The cooldown is `spec.announcement_cooldown`; `profiles`
    are those of the reference and of the window.
    """
    event = proposal.event
    if event is None:
        return Publication([], suppression=proposal.suppression)
    announcement = build_announcement(
        event.data, spec, event_id=event.id, as_of=request.judged_at, profiles=profiles
    )
    cooldown = spec.announcement_cooldown
    since = request.end - OPEN_INTERVALS * (spec.monitored_every or spec.window)
    earlier = announcements.find_recent(
        max(cooldown, request.judged_at - since),
        until=request.judged_at,
        subject=announcement.subject,
    )
    note = find_open_fault(announcement, earlier, since=since)
    suppression = find_suppression(announcement, earlier, cooldown=cooldown)
    if note:
        suppression = Suppression(
            reason=SuppressionReason.FAULT_STILL_OPEN,
            event_id=note.event_id,
            severity=note.severity,
        )
    elif suppression is None and not request.publish:
        suppression = Suppression(reason=SuppressionReason.PUBLISHING_OFF)
    if suppression:
        return Publication([], suppression=suppression, note=note if request.publish else None)
    return Publication([event], announcement)

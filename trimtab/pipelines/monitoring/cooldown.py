"""Keeps a drift that was announced already from being announced with every further window."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.monitoring import LOOKED, Announcement
from trimtab.detection.drift.fingerprint import announcement_of, why_quiet
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.requests import MonitoringRequest


class Announcements(Protocol):
    """What was announced of the model before."""

    def within(self, span: timedelta, *, until: datetime, subject: str) -> Sequence[Announcement]:
        """Those of the span that ends at an instant of the data's own time."""


class Verdict(NamedTuple):
    """What becomes of what was found."""

    events: list[DriftEvent]
    """To be published: one or none."""
    announcement: Announcement | None = None
    """What to remember once that is done."""
    why: str = ""
    """Why something that was found is not published."""


def heed_cooldown(
    candidates: Sequence[DriftEvent],
    spec: ModelSpec,
    request: MonitoringRequest,
    profiles: tuple[WindowProfile, WindowProfile],
    announcements: Announcements,
) -> Verdict:
    """The candidate, unless the same went out within `spec.announcement_cooldown`.

    `profiles` are the reference's and the window's.
    """
    if not candidates:
        return Verdict([])
    (event,) = candidates
    about = announcement_of(
        event.data, spec, event_id=event.id, as_of=request.judged_at, profiles=profiles
    )
    before = announcements.within(
        spec.announcement_cooldown, until=request.judged_at, subject=about.subject
    )
    why = why_quiet(about, before, cooldown=spec.announcement_cooldown)
    if not why and not request.publish:
        why = LOOKED
    return Verdict([], why=why) if why else Verdict([event], about)

"""From a finding to the event that announces it, with an id that tells the same window again."""

from datetime import UTC, datetime

from trimtab.contracts.base import compute_digest
from trimtab.contracts.drift import MAX_EVENT_BYTES, DriftEvent, DriftFinding


def event_of(finding: DriftFinding, *, again: bool = False) -> DriftEvent:
    """An event; of many columns, the least moved are left out until it fits.

    `again` is a second look at the window, once its labels have come.
    """
    event = DriftEvent.model_validate(
        {
            "id": event_id(finding, again=again),
            "source": "/trimtab/pipelines/monitoring",
            "subject": finding.model,
            "time": datetime.now(UTC),
            "data": finding,
        }
    )
    if len(event.model_dump_json().encode()) <= MAX_EVENT_BYTES:
        return event
    shorter = {
        "features": finding.features[: len(finding.features) * 9 // 10],
        "quality": finding.quality[: len(finding.quality) * 9 // 10],
    }
    return event_of(finding.model_copy(update=shorter), again=again)


def event_id(finding: DriftFinding, *, again: bool = False) -> str:
    """The same for the same window of the same champion: to find it again is no new event.

    Short and readable, such as "2016-11-22T00:00Z-3f9a2c41": it stands in workflow ids.
    """
    start, end = finding.current.start.astimezone(UTC), finding.current.end.astimezone(UTC)
    known = [finding.model, finding.champion_version, start.isoformat(), end.isoformat()]
    what = compute_digest([*known, "labelled"] if again else known)
    return f"{start:%Y-%m-%dT%H:%MZ}-{what[:8]}"

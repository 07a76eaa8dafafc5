"""Builds the event that announces a finding, with an id that stays the same for one window."""

from datetime import UTC, datetime

from trimtab.contracts.base import compute_digest
from trimtab.contracts.drift import MAX_UNSIGNED_BYTES, DriftEvent, DriftFinding


def build_drift_event(finding: DriftFinding, *, is_rerun: bool = False) -> DriftEvent:
    """Return an event; columns that moved least are left out until it is small enough.

    `is_rerun` marks the second judgement of a window, after its labels have arrived.
    """
    event = DriftEvent.model_validate(
        {
            "id": compute_event_id(finding, is_rerun=is_rerun),
            "source": "/trimtab/pipelines/monitoring",
            "subject": finding.model,
            "time": datetime.now(UTC),
            "data": finding,
        }
    )
    if len(event.model_dump_json().encode()) <= MAX_UNSIGNED_BYTES:
        return event
    shorter = {
        "features": finding.features[: len(finding.features) * 9 // 10],
        "quality": finding.quality[: len(finding.quality) * 9 // 10],
    }
    return build_drift_event(finding.model_copy(update=shorter), is_rerun=is_rerun)


def compute_event_id(finding: DriftFinding, *, is_rerun: bool = False) -> str:
    """Return an id that is the same for the same window of the same champion.

    Judging a window again therefore makes no new event. The id is short and readable, such as
    "2016-11-22T00:00Z-3f9a2c41", because workflow ids contain it.
    """
    start, end = finding.current.start.astimezone(UTC), finding.current.end.astimezone(UTC)
    identity = [finding.model, finding.champion_version, start.isoformat(), end.isoformat()]
    suffix = compute_digest([*identity, "labelled"] if is_rerun else identity)
    return f"{start:%Y-%m-%dT%H:%MZ}-{suffix[:8]}"

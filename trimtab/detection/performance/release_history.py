"""Reads from the windows that each version served when the champion replaced an earlier one."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from trimtab.contracts.drift import PerformanceChange
from trimtab.contracts.fitted import ServedModel, ServedWindow
from trimtab.contracts.tags import ROLE_TAG, TRAINED_END_TAG, list_promotion_keys
from trimtab.contracts.tags import build_promotion_tag as name_promotion

_DONE = "done"
_TRAINED_AS_CHAMPION = "champion"


def count_windows_since_release(
    champion: str, earlier: Sequence[ServedWindow], *, before: datetime
) -> int | None:
    """Return the windows that the champion served since it replaced an older version.

    `earlier` are the monitored windows, the newest first; those that do not start before the time
    are left out. None if no older version is among them right before the champion's.
    """
    served, seen = 0, set[datetime]()
    for window in earlier:
        if window.start >= before or window.start in seen:
            continue
        seen.add(window.start)
        if window.version != champion:
            return served if is_older_version(window.version, champion) else None
        served += 1
    return None


def estimate_windows_since_release(
    champion: ServedModel, *, end: datetime, length: timedelta, label_delay: timedelta
) -> int | None:
    """Return the windows since the end of the training rows of a version that was promoted.

    None if no tag says that it was promoted, or when its rows end. The window in which it was
    trained and promoted does not count.
    """
    trained_until = champion.tags.get(TRAINED_END_TAG)
    if trained_until is None or not _was_promoted(champion):
        return None
    age = end - datetime.fromisoformat(trained_until) - label_delay
    return max(int(age / length) - 1, 0)


def was_served_before(version: ServedModel) -> bool:
    """Return whether tags say that a version was champion at some time."""
    return version.tags.get(ROLE_TAG) == _TRAINED_AS_CHAMPION or _was_promoted(version)


def is_older_version(version: str, champion: str) -> bool:
    """Return whether a version has a lower number; registries number versions in order."""
    numbers = [int(each) if each.isdecimal() else -1 for each in (version, champion)]
    return 0 <= numbers[0] < numbers[1]


def compute_regained_share(performance: PerformanceChange, values: Sequence[float]) -> float | None:
    """Return the share of the loss that the best of these metrics on the same rows avoids.

    It lies between -1 and 1; None if there is no loss or no metric.
    """
    loss = performance.reference - performance.current
    if not values or loss <= 0.0:
        return None
    return min(max((max(values) - performance.current) / loss, -1.0), 1.0)


def _was_promoted(version: ServedModel) -> bool:
    keys = list_promotion_keys(version.tags)
    return any(version.tags[name_promotion(key)] == _DONE for key in keys)

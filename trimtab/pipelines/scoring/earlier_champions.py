"""Scores versions that were champion before on a window's rows: a bad release has a better one."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import pandas as pd

from trimtab.contracts.drift import PerformanceChange
from trimtab.contracts.fitted import ServedModel, ServedModels
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.contracts.tags import TRAINED_END_TAG
from trimtab.detection.drift.domain_classifier import sample_frame
from trimtab.detection.performance.release_history import (
    compute_regained_share,
    is_older_version,
    was_served_before,
)
from trimtab.pipelines.scoring.metrics import score_labelled_rows

MAX_EARLIER_CHAMPIONS: Final = 3
"""Earlier champions that are scored at most, the newest ones."""
MAX_VERSIONS_READ: Final = 10
"""Versions before the champion whose tags are read at most."""
MAX_ROWS_SCORED: Final = 5_000
"""Labelled rows that they are scored on at most, a random sample of more."""


def measure_regained_share(
    labelled: pd.DataFrame,
    spec: ModelSpec,
    models: ServedModels,
    *,
    performance: PerformanceChange,
    start: datetime,
) -> float | None:
    """Return the share of the loss that the best earlier champion does not have.

    `start` is the window's: a version that learned from later rows is left out. None if there is no
    earlier champion that can be scored.
    """
    rows = sample_frame(labelled, MAX_ROWS_SCORED)
    champion = models.champion()
    values = [
        value
        for version in list_earlier_champions(models, champion, before=start)
        if (value := _score_version(version, rows, spec)) is not None
    ]
    return compute_regained_share(performance, values)


def list_earlier_champions(
    models: ServedModels, champion: ServedModel, *, before: datetime
) -> list[ServedModel]:
    """Return the older versions that served before, the newest first."""
    served = {window.version for window in champion.served_windows()}
    found = [
        version
        for version in _read_older_versions(models, champion.version)
        if (version.version in served or was_served_before(version))
        and not _has_learned_since(version, before)
    ]
    return found[:MAX_EARLIER_CHAMPIONS]


def _read_older_versions(models: ServedModels, champion: str) -> Iterator[ServedModel]:
    newest = int(champion) - 1 if champion.isdecimal() else 0
    for number in range(newest, max(newest - MAX_VERSIONS_READ, 0), -1):
        try:
            version = models.version(str(number))
        except Refused:
            continue
        if is_older_version(version.version, champion):
            yield version


def _has_learned_since(version: ServedModel, when: datetime) -> bool:
    trained_until = version.tags.get(TRAINED_END_TAG)
    return trained_until is not None and datetime.fromisoformat(trained_until) > when


def _score_version(version: ServedModel, rows: pd.DataFrame, spec: ModelSpec) -> float | None:
    try:
        return score_labelled_rows(version.load(), rows, spec).value
    except (Refused, ValueError, KeyError):
        return None  # an older version may need columns that are gone

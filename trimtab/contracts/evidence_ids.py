"""Builds the ids of evidence items: the only place where one is put together.

An id is never cut and never shared: two different things have two different ids. Names of columns
and documents cannot hold `#` or `=`, so what stands after these signs cannot be part of a name.
Nothing takes an id apart: what an item is about is in the item's own fields.
"""

import hashlib
from typing import Annotated, Final

from pydantic import StringConstraints

from trimtab.contracts.drift import FaultKind

MAX_ID_LENGTH: Final = 256
"""Longest id, in characters: room for two names of 128 characters."""
EvidenceId = Annotated[str, StringConstraints(pattern=r"^[\w.:/ =#-]+$", max_length=MAX_ID_LENGTH)]

WINDOW_ROWS_ID: Final = "window:rows"
"""How many rows the current window and the reference hold."""
ALL_INPUTS_ID: Final = "multivariate:rows"
"""Whether the inputs drifted when they are taken together."""
CHAMPION_PERFORMANCE_ID: Final = "performance:champion"
"""The champion's metric on labelled rows, before and now."""
ESTIMATED_PERFORMANCE_ID: Final = "performance:estimate"
"""The champion's metric as estimated without labels."""
CONCEPT_LOSS_ID: Final = "performance:concept-loss"
"""The loss of the metric that covariate shift does not explain."""
LEARNABILITY_ID: Final = "signal:learnability"
"""Whether the newest window can be learnt from its own rows."""
SUPPORT_ID: Final = "signal:support"
"""The metric on rows like the training's, and on others."""
CHALLENGER_ID: Final = "signal:challenger"
"""What a model of the newest rows is worth beside the champion."""
SEASON_ID: Final = "signal:season"
"""Whether the window looks like the same season a period ago."""
SKILL_ID: Final = "signal:skill"
"""Whether the champion was better than a trivial model when it was trained."""
NEW_CATEGORIES_ID: Final = "signal:new-categories"
"""The share of rows of categories that the reference has not."""
SIGNAL_IDS: Final = frozenset(
    {LEARNABILITY_ID, SUPPORT_ID, CHALLENGER_ID, SEASON_ID, SKILL_ID, NEW_CATEGORIES_ID}
)
"""Measurements that tell causes apart."""
CHAMPION_ID: Final = "registry:champion"
"""Which version is the champion."""
LAST_ACTION_ID: Final = "registry:last-action"
"""When the model was last acted upon."""

_INSPECTION: Final = "inspect:"
_WHOLE_WINDOW: Final = "window"
_MAX_SEGMENT_LENGTH: Final = 80
_DIGEST_LENGTH: Final = 12
_PUNCTUATION: Final = frozenset("_.:/ -")


def build_drift_id(column: str) -> str:
    """Return the id of the item that says how far a column moved."""
    return f"drift:{column}"


def build_quality_id(kind: FaultKind, column: str | None) -> str:
    """Return the id of the item on a quality fault of a column, or of the whole window (None)."""
    if column == _WHOLE_WINDOW:
        return f"quality:{kind}:{column}#column"
    return f"quality:{kind}:{column or _WHOLE_WINDOW}"


def build_metric_id(version: str) -> str:
    """Return the id of the item that gives a version's metric on the newest labelled rows."""
    return f"metric:version-{version}"


def build_unscorable_id(version: str) -> str:
    """Return the id of the item that says why a version has no metric."""
    return f"unscorable:version-{version}"


def build_version_id(version: str) -> str:
    """Return the id of the item that says what a version was trained on."""
    return f"registry:version-{version}"


def build_column_id(column: str) -> str:
    """Return the id of the item in which an agent's tool compares a column before and now."""
    return f"{_INSPECTION}{column}"


def build_segment_id(column: str, segment: str) -> str:
    """Return the id of the item in which an agent's tool measures one category of a column.

    A category may be any text: one that is long, or holds signs that an id may not hold, is shown
    in part and identified by a digest of the whole.
    """
    start = segment[:_MAX_SEGMENT_LENGTH]
    shown = "".join(each if _may_stand_in_id(each) else "-" for each in start)
    if shown != segment:
        whole = hashlib.sha256(segment.encode(errors="surrogatepass")).hexdigest()
        shown += f"#{whole[:_DIGEST_LENGTH]}"
    return f"{_INSPECTION}{column}={shown}"


def is_inspection_id(item_id: str) -> bool:
    """Return whether an id is that of an item in which an agent's tool looked at the data."""
    return item_id.startswith(_INSPECTION)


def build_document_id(document: str) -> str:
    """Return the id of the item in which an agent's tool read a runbook or past incident."""
    return f"document:{document}"


def _may_stand_in_id(character: str) -> bool:
    return character.isalpha() or character.isdecimal() or character in _PUNCTUATION

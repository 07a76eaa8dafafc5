"""Names of the tags by which Trimtab recognises its own work in the model registry.

Pipelines write them on the versions that they make, and the registry's adapter reads them.
"""

from typing import Final

EFFECT_KEY_TAG: Final = "trimtab.key"
"""Tag of a version: key of the effect that made it; search for it before creating a version."""
TRAINED_START_TAG: Final = "trimtab.trained.start"
"""Tag of a version: ISO time of the first instant of its training data."""
TRAINED_END_TAG: Final = "trimtab.trained.end"
"""Tag of a version: ISO time of the first instant after its training data."""
TRAINED_ROWS_TAG: Final = "trimtab.trained.rows"
"""Tag of a version: number of rows that it was trained on."""
EXCLUDED_WINDOWS_TAG: Final = "trimtab.trained.left_out"
"""Tag of a challenger: starts of the corrupt windows, which it was not trained on."""
EVENT_ID_TAG: Final = "trimtab.event_id"
"""Tag of a version or an incident's run: id of the drift event behind it."""
CORRELATION_ID_TAG: Final = "trimtab.correlation_id"
"""Tag of a version or an incident's run: the incident's correlation id."""
PLAN_HASH_TAG: Final = "trimtab.plan_hash"
"""Tag of a version: hash of the plan that it was trained for."""


def build_promotion_tag(key: str) -> str:
    """Return the name of the tag that marks a version which the effect made champion."""
    return f"trimtab.promoted_by.{key}"

"""Names of the tags by which Trimtab recognises its own work in the model registry.

Pipelines write them on the versions they make, the registry's adapter reads them.
"""

from typing import Final

EFFECT_KEY_TAG: Final = "trimtab.key"
"""On a version: the key of the effect that made it; search by it before creating."""
TRAINED_START_TAG: Final = "trimtab.trained.start"
"""On a version: ISO time of the first instant it was trained on."""
TRAINED_END_TAG: Final = "trimtab.trained.end"
"""On a version: ISO time of the first instant after what it was trained on."""
TRAINED_ROWS_TAG: Final = "trimtab.trained.rows"
"""On a version: how many rows it was trained on."""
EXCLUDED_WINDOWS_TAG: Final = "trimtab.trained.left_out"
"""On a challenger: starts of the windows that it did not learn from, their data being corrupt."""
EVENT_ID_TAG: Final = "trimtab.event_id"
"""On a version or an incident's run: the drift event behind it."""
CORRELATION_ID_TAG: Final = "trimtab.correlation_id"
PLAN_HASH_TAG: Final = "trimtab.plan_hash"


def build_promotion_tag(key: str) -> str:
    """On a version: the tag that says an effect made it champion."""
    return f"trimtab.promoted_by.{key}"

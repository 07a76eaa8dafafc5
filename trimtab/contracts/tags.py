"""Names of the tags that Trimtab sets in MLflow, and recognises its own work by. None is renamed.

Pipelines write some on the versions and runs that they make; adapters write and read the others.
"""

from typing import Final

# On a version.
EFFECT_KEY: Final = "trimtab.key"
"""The key of the effect that made the version; search by it before creating."""
ROLE: Final = "trimtab.role"
"""What the version was trained as: "champion" or "challenger"."""
TRAINED_START: Final = "trimtab.trained.start"
"""ISO time of the first instant it was trained on."""
TRAINED_END: Final = "trimtab.trained.end"
"""ISO time of the first instant after what it was trained on."""
TRAINED_ROWS: Final = "trimtab.trained.rows"
"""Number of rows it was trained on."""
LEFT_OUT: Final = "trimtab.trained.left_out"
"""On a challenger: starts of the windows that it did not learn from, their data being corrupt."""

# On a version or an incident's run.
EVENT_ID: Final = "trimtab.event_id"
"""The drift event behind it; also on the run of the window that was announced."""
CORRELATION_ID: Final = "trimtab.correlation_id"
PLAN_HASH: Final = "trimtab.plan_hash"

# On an incident's run.
MODEL: Final = "trimtab.model"
VERDICT: Final = "trimtab.verdict"
RULE: Final = "trimtab.rule"
ENDING: Final = "trimtab.ending"
AUDIT_TIP: Final = "trimtab.audit_tip"
"""Hash of the last line of the incident's audit chain."""
AUDIT_ENTRIES: Final = "trimtab.audit_entries"
"""Number of lines of that chain."""
ACTED_AT: Final = "trimtab.acted_at"
"""ISO time in UTC with microseconds, so that texts sort as times do."""

# On a monitored window's run.
DRIFT: Final = "trimtab.drift"
"""What became of the window's findings: "announced", "recorded" or "none"."""
WHY: Final = "trimtab.why"
"""Why they were only recorded."""
FINGERPRINT: Final = "trimtab.fingerprint"
ANNOUNCED_SUBJECT: Final = "trimtab.announced.subject"
ANNOUNCED_MOVES: Final = "trimtab.announced.moves"
ANNOUNCED_SEVERITY: Final = "trimtab.announced.severity"
CHAMPION: Final = "trimtab.champion"
"""The version that the window was judged with."""
WINDOW_START: Final = "trimtab.window.start"
WINDOW_END: Final = "trimtab.window.end"

# On the run that keeps the baseline of a version made elsewhere.
BASELINE_VERSION: Final = "trimtab.baseline.version"
"""The version that the baseline is about."""
BASELINE_KEY: Final = "trimtab.baseline.key"
"""Digest of the configuration that the baseline was measured under."""


def make_promotion_tag(key: str) -> str:
    """Return the tag on a version that says an effect made it champion."""
    return f"trimtab.promoted_by.{key}"

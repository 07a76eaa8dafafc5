"""Names of the tags that Trimtab sets in MLflow, and recognises its own work by. None is renamed.

Pipelines write some on the versions and runs that they make; adapters write and read the others.
"""

from typing import Final

# On a version.
EFFECT_KEY_TAG: Final = "trimtab.key"
"""The key of the effect that made the version; search by it before creating."""
ROLE_TAG: Final = "trimtab.role"
"""What the version was trained as: "champion" or "challenger"."""
TRAINED_START_TAG: Final = "trimtab.trained.start"
"""ISO time of the first instant it was trained on."""
TRAINED_END_TAG: Final = "trimtab.trained.end"
"""ISO time of the first instant after what it was trained on."""
TRAINED_ROWS_TAG: Final = "trimtab.trained.rows"
"""Number of rows it was trained on."""
EXCLUDED_WINDOWS_TAG: Final = "trimtab.trained.left_out"
"""On a challenger: starts of the windows that it did not learn from, their data being corrupt."""

# On a version or an incident's run.
EVENT_ID_TAG: Final = "trimtab.event_id"
"""The drift event behind it; also on the run of the window that was announced."""
CORRELATION_ID_TAG: Final = "trimtab.correlation_id"
PLAN_HASH_TAG: Final = "trimtab.plan_hash"

# On an incident's run.
MODEL_TAG: Final = "trimtab.model"
VERDICT_TAG: Final = "trimtab.verdict"
RULE_TAG: Final = "trimtab.rule"
ENDING_TAG: Final = "trimtab.ending"
AUDIT_TIP_TAG: Final = "trimtab.audit_tip"
"""Hash of the last line of the incident's audit chain."""
AUDIT_ENTRIES_TAG: Final = "trimtab.audit_entries"
"""Number of lines of that chain."""
ACTED_AT_TAG: Final = "trimtab.acted_at"
"""ISO time in UTC with microseconds, so that texts sort as times do."""

# On a monitored window's run.
DRIFT_TAG: Final = "trimtab.drift"
"""What became of the window's findings: "announced", "recorded" or "none"."""
WHY_TAG: Final = "trimtab.why"
"""Why they were only recorded."""
FINGERPRINT_TAG: Final = "trimtab.fingerprint"
ANNOUNCED_SUBJECT_TAG: Final = "trimtab.announced.subject"
ANNOUNCED_MOVES_TAG: Final = "trimtab.announced.moves"
ANNOUNCED_SEVERITY_TAG: Final = "trimtab.announced.severity"
CHAMPION_TAG: Final = "trimtab.champion"
"""The version that the window was judged with."""
WINDOW_START_TAG: Final = "trimtab.window.start"
WINDOW_END_TAG: Final = "trimtab.window.end"

# On the run that keeps the baseline of a version made elsewhere.
BASELINE_VERSION_TAG: Final = "trimtab.baseline.version"
"""The version that the baseline is about."""
BASELINE_KEY_TAG: Final = "trimtab.baseline.key"
"""Digest of the configuration that the baseline was measured under."""


def build_promotion_tag(key: str) -> str:
    """Return the name of the tag that marks a version as made champion by an effect."""
    return f"trimtab.promoted_by.{key}"

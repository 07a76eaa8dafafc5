"""Names of the tags that Trimtab sets in MLflow, and recognises its own work by. None is renamed.

Pipelines write some on the versions and runs that they make; adapters write and read the others.
"""

from collections.abc import Iterable
from typing import Final

# On a version.
EFFECT_KEY_TAG: Final = "trimtab.key"
"""Key of the effect that made the version; search for it before creating a version."""
ROLE_TAG: Final = "trimtab.role"
"""Role that the version was trained for: "champion" or "challenger"."""
TRAINED_START_TAG: Final = "trimtab.trained.start"
"""Tag of a version: ISO time of the first instant of its training data."""
TRAINED_END_TAG: Final = "trimtab.trained.end"
"""Tag of a version: ISO time of the first instant after its training data."""
TRAINED_ROWS_TAG: Final = "trimtab.trained.rows"
"""Tag of a version: number of rows that it was trained on."""
EXCLUDED_WINDOWS_TAG: Final = "trimtab.trained.left_out"
"""Tag of a challenger: starts of the corrupt windows, which it was not trained on."""

# On a version or an incident's run.
EVENT_ID_TAG: Final = "trimtab.event_id"
"""Id of the drift event behind it; also on the run of the window that was announced."""
CORRELATION_ID_TAG: Final = "trimtab.correlation_id"
"""Tag of a version or an incident's run: the incident's correlation id."""
PLAN_HASH_TAG: Final = "trimtab.plan_hash"
"""Tag of a version: hash of the plan that it was trained for."""

# On a registered model, and on the experiment of incidents for all models.
FREEZE_TAG: Final = "trimtab.freeze"
"""The freeze that is in force, as JSON (`contracts.freeze.Freeze`); without the tag there is none.
"""

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

# On the experiment of incidents.
AUDIT_HEAD_TAG: Final = "trimtab.audit_head"
"""Number of heads of the audit log, ":", and the hash of the last one."""

# On a monitored window's run.
DRIFT_TAG: Final = "trimtab.drift"
"""What became of the window's findings: "announced", "recorded" or "none"."""
WHY_TAG: Final = "trimtab.why"
"""Why they were only recorded."""
FINGERPRINT_TAG: Final = "trimtab.fingerprint"
ANNOUNCED_SUBJECT_TAG: Final = "trimtab.announced.subject"
ANNOUNCED_MOVES_TAG: Final = "trimtab.announced.moves"
ANNOUNCED_SEVERITY_TAG: Final = "trimtab.announced.severity"
ANNOUNCED_FAULTS_TAG: Final = "trimtab.announced.faults"
OPEN_FAULT_TAG: Final = "trimtab.open_fault"
"""Id of the event that announced the faults that this window still shows."""
CHAMPION_TAG: Final = "trimtab.champion"
"""The version that the window was judged with."""
WINDOW_START_TAG: Final = "trimtab.window.start"
WINDOW_END_TAG: Final = "trimtab.window.end"

# On the run that keeps the baseline of a version made elsewhere.
BASELINE_VERSION_TAG: Final = "trimtab.baseline.version"
"""The version that the baseline is about."""
BASELINE_KEY_TAG: Final = "trimtab.baseline.key"
"""Digest of the configuration that the baseline was measured under."""


def build_verification_tag(key: str) -> str:
    """Return the name of the tag that marks a version as verified, by the key of that step."""
    return f"trimtab.verified_by.{key}"


_PROMOTION_PREFIX: Final = "trimtab.promoted_by."


def build_promotion_tag(key: str) -> str:
    """Return the name of the tag that marks a version as made champion by an effect."""
    return _PROMOTION_PREFIX + key


def list_promotion_keys(tags: Iterable[str]) -> list[str]:
    """Return the keys of the effects that made a version champion, from the names of its tags."""
    return [
        name.removeprefix(_PROMOTION_PREFIX) for name in tags if name.startswith(_PROMOTION_PREFIX)
    ]

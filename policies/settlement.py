"""Decides what an incident needs whose workflow is gone: nothing, its champion back, or a person.

It reads what the audit chain says was intended, and the registry's champion; nothing else survives
a workflow that was terminated.
"""

from collections.abc import Sequence

from pydantic import JsonValue

from trimtab.contracts.audit import AuditEntry, AuditLine, Gate
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.remediation import Step
from trimtab.contracts.settlement import Settlement, SettlementKind
from trimtab.contracts.tags import build_promotion_tag


def plan_settlement(lines: Sequence[AuditLine], *, champion: ModelVersion | None) -> Settlement:
    """Return what the incident with this chain needs, given the model's present champion."""
    version = champion.version if champion else None
    intent, after = _find_last_move(lines)
    former = intent.detail.get("champion_version") if intent else None
    if intent is None:
        nothing = "it changed no champion"
    elif any(_holds(entry, Gate.VERIFIED, "verified") for entry in after):
        nothing = "what it changed was verified"
    elif any(_holds(entry, Gate.UNDONE, "applied") for entry in after):
        nothing = "what it changed was undone"
    elif version is not None and version == former:
        nothing = f"version {former} is champion as before"
    else:
        return _plan_move(str(intent.detail.get("key")), former, champion)
    return Settlement(kind=SettlementKind.NOTHING, reason=nothing, champion=version)


def _plan_move(key: str, former: JsonValue, champion: ModelVersion | None) -> Settlement:
    """Return what a move of the champion needs that nobody verified or undid."""
    version = champion.version if champion else None
    own = champion is not None and build_promotion_tag(key) in champion.tags
    if own and isinstance(former, str):
        return Settlement(
            kind=SettlementKind.RESTORE,
            reason=f"it made version {version} champion, which was never verified",
            champion=version,
            restore=former,
        )
    reason = f"version {former} was champion before it, and somebody made {version} champion since"
    return Settlement(kind=SettlementKind.EXAMINE, reason=reason, champion=version)


def find_unreported_effect(
    lines: Sequence[AuditLine], *, champion: ModelVersion | None
) -> AuditEntry | None:
    """Return the last INTENDED entry if the registry shows its effect and no line reports it."""
    intent, after = _find_last_move(lines)
    if intent is None or champion is None:
        return None
    reported = any(
        entry.gate is Gate.EFFECTED and entry.detail.get("step") == intent.detail.get("step")
        for entry in after
    )
    shown = build_promotion_tag(str(intent.detail.get("key"))) in champion.tags
    return intent if shown and not reported else None


def _find_last_move(lines: Sequence[AuditLine]) -> tuple[AuditEntry | None, list[AuditEntry]]:
    """Return the last intent to make another version champion, and the entries after it."""
    entries = [line.entry for line in lines]
    for number in range(len(entries) - 1, -1, -1):
        entry = entries[number]
        moves = entry.detail.get("step") in {Step.PROMOTE, Step.ROLL_BACK}
        if entry.gate is Gate.INTENDED and moves:
            return entry, entries[number + 1 :]
    return None, []


def _holds(entry: AuditEntry, gate: Gate, field: str) -> bool:
    return entry.gate is gate and entry.detail.get(field) is True

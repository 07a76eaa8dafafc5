"""Decides what an incident needs whose workflow is gone: nothing, its champion back, or a person.

It reads what the audit chain says was intended, and the registry's champion; nothing else survives
a workflow that was terminated.
"""

from collections.abc import Sequence
from typing import Final

from pydantic import JsonValue

from trimtab.contracts.audit import SWEEPER, AuditEntry, AuditLine, Gate
from trimtab.contracts.base import compute_digest
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.remediation import (
    ActionOrder,
    RemediationInput,
    Step,
    compute_effect_key,
)
from trimtab.contracts.settlement import Settlement, SettlementKind
from trimtab.contracts.tags import build_promotion_tag, build_verification_tag

MAX_RESTORATIONS: Final = 2
"""Attempts of sweeps to restore a champion, before a person is asked to do it."""

Finding = tuple[Gate, dict[str, JsonValue]]
"""Gate and detail of an entry that nobody has written yet."""


def plan_settlement(lines: Sequence[AuditLine], *, champion: ModelVersion | None) -> Settlement:
    """Return what the incident with this chain needs, given the model's present champion."""
    version = champion.version if champion else None
    intent, after = _find_last_move(lines)
    former = intent.detail.get("champion_version") if intent else None
    if intent is None:
        nothing = "it changed no champion"
    elif is_marked_verified(lines, champion) or _was_said_verified(intent, after, champion):
        nothing = "what it changed was verified"
    elif any(_holds(entry, Gate.UNDONE, "applied") for entry in after):
        nothing = "what it changed was undone"
    elif version is not None and version == former and count_restorations(lines):
        nothing = f"what it changed was never verified, and a sweep made {former} champion again"
    elif version is not None and version == former:
        nothing = f"version {former} is champion as before"
    else:
        return _plan_move(str(intent.detail.get("key")), former, champion)
    return Settlement(kind=SettlementKind.NOTHING, reason=nothing, champion=version)


def _was_said_verified(
    intent: AuditEntry, after: Sequence[AuditEntry], champion: ModelVersion | None
) -> bool:
    """Return whether a line says that the move was verified, of a version that serves no more.

    Anybody can answer a task. While the version serves, the registry's own mark counts.
    """
    key = str(intent.detail.get("key"))
    serves = champion is not None and build_promotion_tag(key) in champion.tags
    return not serves and any(_holds(entry, Gate.VERIFIED, "verified") for entry in after)


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


def list_unreported(lines: Sequence[AuditLine], *, champion: ModelVersion | None) -> list[Finding]:
    """Return what the registry shows of the incident and no line reports, oldest first."""
    if champion is None:
        return []
    found: list[Finding] = []
    found_detail: dict[str, JsonValue] = {
        "version": champion.version,
        "detail": "found in the registry; the workflow did not report it",
    }
    intent = find_unreported_effect(lines, champion=champion)
    if intent is not None:
        found.append((Gate.EFFECTED, {**_describe_effect(intent), **found_detail}))
    reported = any(_holds(line.entry, Gate.VERIFIED, "verified") for line in lines)
    if is_marked_verified(lines, champion) and not reported:
        found.append((Gate.VERIFIED, {"verified": True, **found_detail}))
    undo = _find_unreported_undo(lines, champion)
    if undo is not None:
        found.append((Gate.UNDONE, {**_describe_effect(undo), **found_detail}))
    return found


def count_restorations(lines: Sequence[AuditLine]) -> int:
    """Return how often a sweep has set out to restore the incident's former champion."""
    return sum(
        line.entry.gate is Gate.INTENDED
        and line.entry.actor == SWEEPER
        and line.entry.detail.get("step") == Step.UNDO
        for line in lines
    )


def build_undo_order(
    lines: Sequence[AuditLine], settlement: Settlement, request: RemediationInput
) -> ActionOrder | None:
    """Return the order that undoes the incident's change, or None if it is not the incident's own.

    Args:
        lines: The incident's chain, whose AUTHORISED line names the grant.
        settlement: What the incident needs.
        request: Input of the incident's remediation, as Temporal keeps it.
    """
    order, first = request.order, lines[0].entry
    granted = {
        line.entry.detail.get("grant_hash") for line in lines if line.entry.gate is Gate.AUTHORISED
    }
    own = (first.incident, first.model, settlement.restore)
    if (order.event_id, order.spec.name, order.champion_version) != own:
        return None
    if compute_digest([order.grant]) not in granted:
        return None
    return order.model_copy(
        update={
            "step": Step.UNDO.value,
            "key": compute_effect_key(order.event_id, order.plan_hash, Step.UNDO),
            "challenger_version": settlement.champion,
            "verification_margin": request.verification_margin,
        }
    )


def _describe_effect(intent: AuditEntry) -> dict[str, JsonValue]:
    return {
        "step": intent.detail.get("step"),
        "key": intent.detail.get("key"),
        "model": intent.model,
        "previous_version": intent.detail.get(
            "challenger_version" if intent.detail.get("step") == Step.UNDO else "champion_version"
        ),
        "applied": True,
    }


def is_marked_verified(lines: Sequence[AuditLine], champion: ModelVersion | None) -> bool:
    """Return whether the registry says that the incident's plan was verified on the champion."""
    plans = {
        str(line.entry.detail.get("plan_hash"))
        for line in lines
        if line.entry.gate is Gate.AUTHORISED
    }
    keys = [compute_effect_key(lines[0].entry.incident, each, Step.VERIFY) for each in plans]
    return champion is not None and any(
        build_verification_tag(key) in champion.tags for key in keys
    )


def _find_unreported_undo(lines: Sequence[AuditLine], champion: ModelVersion) -> AuditEntry | None:
    """Return the last intent to undo, if the registry shows its effect and no line reports it."""
    entries = [line.entry for line in lines]
    undone = any(_holds(entry, Gate.UNDONE, "applied") for entry in entries)
    for entry in reversed(entries):
        if entry.gate is Gate.INTENDED and entry.detail.get("step") == Step.UNDO:
            shown = build_promotion_tag(str(entry.detail.get("key"))) in champion.tags
            is_back = entry.detail.get("champion_version") == champion.version
            return entry if shown and is_back and not undone else None
    return None


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

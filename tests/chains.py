"""Chains of audit lines for tests: what a remediation leaves behind, gate by gate."""

from datetime import timedelta
from typing import Any

from pydantic import JsonValue

from tests.builders import NOW
from trimtab.contracts.audit import GENESIS, AuditEntry, AuditLine, Gate
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.remediation import compute_effect_key
from trimtab.contracts.tags import EFFECT_KEY_TAG, build_promotion_tag, build_verification_tag

PLAN = "a" * 64


def key_of(step: str, event_id: str = "event-1") -> str:
    return compute_effect_key(event_id, PLAN, step)


def a_line(sequence: int, gate: Gate, **changes: Any) -> AuditLine:
    fields: dict[str, Any] = {
        "incident": "event-1",
        "model": "parking",
        "correlation_id": "event-1",
        "sequence": sequence,
        "gate": gate,
        "at": NOW + timedelta(seconds=sequence),
        "actor": "trimtab",
        "detail": {},
    }
    entry = AuditEntry(**{**fields, **changes})
    return AuditLine(entry=entry, previous=GENESIS, hash=f"{sequence + 1:064x}")


def a_chain(*gates: tuple[Gate, dict[str, JsonValue]] | Gate, **changes: Any) -> list[AuditLine]:
    """Return a chain of these gates; a gate alone has no detail."""
    pairs = [each if isinstance(each, tuple) else (each, {}) for each in gates]
    actors = {Gate.AUTHORISED: "policy:all_rules"}
    return [
        a_line(
            number,
            gate,
            **{"detail": detail, "actor": actors.get(gate, "trimtab"), **changes},
        )
        for number, (gate, detail) in enumerate(pairs)
    ]


DECIDED: tuple[Gate, dict[str, JsonValue]] = (Gate.DECIDED, {"verdict": "execute"})


def intended(step: str) -> tuple[Gate, dict[str, JsonValue]]:
    detail: dict[str, JsonValue] = {
        "step": step,
        "key": key_of(step),
        "champion_version": "1",
        "challenger_version": "2",
    }
    return Gate.INTENDED, detail


def effected(step: str, version: str = "2") -> tuple[Gate, dict[str, JsonValue]]:
    gate = Gate.UNDONE if step == "undo" else Gate.EFFECTED
    return gate, {"step": step, "key": key_of(step), "version": version, "applied": True}


AUTHORISED: tuple[Gate, dict[str, JsonValue]] = (Gate.AUTHORISED, {"plan_hash": PLAN})
VERIFIED: tuple[Gate, dict[str, JsonValue]] = (Gate.VERIFIED, {"verified": True})

RETRAINED: tuple[tuple[Gate, dict[str, JsonValue]] | Gate, ...] = (
    Gate.OPENED,
    DECIDED,
    AUTHORISED,
    intended("retrain"),
    effected("retrain"),
    intended("promote"),
    effected("promote"),
    VERIFIED,
    Gate.CLOSED,
)
"""An incident that retrained, promoted, verified and closed."""


def a_version(
    version: str, tags: dict[str, str] | None = None, *, champion: bool = False
) -> ModelVersion:
    return ModelVersion(
        model="parking", version=version, created_at=NOW, champion=champion, tags=tags or {}
    )


def a_challenger(*, champion: bool = True, marked: bool = True) -> ModelVersion:
    """Return version 2 as `RETRAINED` leaves it, with or without the mark of its verification."""
    tags = {EFFECT_KEY_TAG: key_of("retrain"), build_promotion_tag(key_of("promote")): "done"}
    if marked:
        tags[build_verification_tag(key_of("verify"))] = "done"
    return a_version("2", tags, champion=champion)

"""Reads decisions, and what they were derived from, out of the audit log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, ValidationError

from trimtab.adapters.audit.audit_chain import BrokenChainError, parse_chain
from trimtab.adapters.audit.audit_file import UnfitFileError, read_locked_file
from trimtab.contracts.audit import AuditLine, Gate
from trimtab.contracts.decision import Decision, Limits, PolicyQuestion


@dataclass(frozen=True)
class RecordedDecision:
    """A decision of the audit log."""

    incident: str
    model: str
    decision: Decision
    question: dict[str, JsonValue] | None
    """Plan, facts and time that it was derived from; None in logs of an earlier release."""

    def build_question(self, limits: Limits) -> PolicyQuestion | None:
        """Return the question under other limits; None if the log does not hold enough."""
        if self.question is None:
            return None
        try:
            return PolicyQuestion.model_validate({**self.question, "limits": limits})
        except ValidationError:
            return None


def find_decision(lines: Sequence[AuditLine]) -> RecordedDecision | None:
    """Return the last decision before the incident's first end, or None.

    What stands behind that end was decided about nothing: somebody started the workflow again.
    """
    entries = [line.entry for line in lines]
    ends = (number for number, entry in enumerate(entries) if entry.gate is Gate.CLOSED)
    for entry in reversed(entries[: next(ends, len(entries))]):
        if entry.gate is Gate.DECIDED:
            question = entry.detail.get("question")
            try:
                decision = Decision.model_validate(entry.detail)
            except ValidationError:
                continue
            return RecordedDecision(
                incident=entry.incident,
                model=entry.model,
                decision=decision,
                question=question if isinstance(question, dict) else None,
            )
    return None


def list_decisions(folder: Path, *, key: bytes) -> Iterator[RecordedDecision]:
    """Yield the last decision of every chain; of a broken chain only the sound lines count."""
    for path in sorted(folder.glob("*/*.jsonl")):
        if path.is_symlink() or not path.is_file():
            continue
        try:
            lines = parse_chain(read_locked_file(path), key=key)
        except BrokenChainError as broken:
            lines = broken.sound
        except UnfitFileError:  # `trimtab audit verify` says what it is
            continue
        found = find_decision(lines)
        if found is not None:
            yield found

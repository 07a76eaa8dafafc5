"""Plans an append: the first writer of a place in a chain wins, and whoever comes later goes on.

A workflow task that a crash repeats presents the same entries at another time: they are found. One
that presents other entries for a place that is taken, because its workflow was reset, is not
stopped: a line names the conflict, and its entries follow at the end of the chain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import JsonValue

from trimtab.contracts.audit import AuditAppend, AuditEntry, AuditLine, Gate
from trimtab.contracts.base import compute_digest


@dataclass(frozen=True)
class AppendPlan:
    """How many lines hold the request already, and what is still to be written after them."""

    known: int
    missing: tuple[AuditEntry, ...]


def plan_append(request: AuditAppend, lines: Sequence[AuditLine], *, start: int) -> AppendPlan:
    """Return the plan of a request that follows the first `start` lines.

    Raises:
        ValueError: An entry has no JSON form.
    """
    digest = compute_digest([entry.content for entry in request.entries])
    for position in (start, *_find_conflicts(request, lines, digest)):
        known = lines[position : position + len(request.entries)]
        if all(_says_the_same(*pair) for pair in zip(known, request.entries, strict=False)):
            end = position + len(known)
            return AppendPlan(end, _renumber(request.entries[len(known) :], first=end))
    end = len(lines)
    conflict = _build_conflict(request, lines, start=start, digest=digest)
    return AppendPlan(end, _renumber((conflict, *request.entries), first=end))


def is_continued_after_conflict(lines: Sequence[AuditLine], *, closed: str) -> bool:
    """Return whether what follows the line with the hash `closed` begins with a conflict."""
    return any(
        line.hash == closed and after.entry.gate is Gate.CONFLICT for line, after in pairwise(lines)
    )


def _find_conflicts(request: AuditAppend, lines: Sequence[AuditLine], digest: str) -> Iterator[int]:
    """Yield the number of the line after each conflict that this very request led to."""
    presented = {"tip": request.tip, "content": digest}
    for number, line in enumerate(lines, start=1):
        if line.entry.gate is Gate.CONFLICT and presented.items() <= line.entry.detail.items():
            yield number


def _says_the_same(line: AuditLine, entry: AuditEntry) -> bool:
    return line.entry.content == entry.content


def _build_conflict(
    request: AuditAppend, lines: Sequence[AuditLine], *, start: int, digest: str
) -> AuditEntry:
    """Return the entry that says what was presented, and which line stands in its place."""
    pairs = zip(lines[start:], request.entries, strict=False)
    standing = next(line for line, entry in pairs if not _says_the_same(line, entry))
    first = request.entries[0]
    gates: list[JsonValue] = [entry.gate.value for entry in request.entries]
    detail: dict[str, JsonValue] = {
        "presented": first.sequence,
        "gates": gates,
        "tip": request.tip,
        "content": digest,
        "standing": standing.entry.sequence,
        "standing_gate": standing.entry.gate.value,
        "standing_hash": standing.hash,
    }
    changes = {"gate": Gate.CONFLICT, "actor": "trimtab", "detail": detail}
    return first.model_copy(update=changes)


def _renumber(entries: Sequence[AuditEntry], *, first: int) -> tuple[AuditEntry, ...]:
    return tuple(
        entry.model_copy(update={"sequence": first + offset})
        for offset, entry in enumerate(entries)
    )

"""Holds the audit log against the model registry, both ways.

An effect in the registry must have been intended, authorised and reported in the log; an effect
that the log reports must be in the registry.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from policies.settlement import is_marked_verified
from trimtab.contracts.audit import AuditEntry, AuditLine, Gate
from trimtab.contracts.incident import Ending
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.reconciliation import Discrepancy
from trimtab.contracts.remediation import Step
from trimtab.contracts.tags import (
    EFFECT_KEY_TAG,
    build_promotion_tag,
    list_promotion_keys,
)

_VERIFYING_TIME: Final = timedelta(hours=4)
"""Time in which a champion that was replaced is verified, or restored, at the latest."""

Chain = Sequence[AuditLine]
_Moves = list[tuple[AuditEntry, Chain]]
"""What the log says of one model's champion: every change of it with its chain, oldest first."""


@dataclass(frozen=True)
class Intent:
    """An INTENDED line of a chain: which effect, and what stands around it."""

    entry: AuditEntry
    before: Chain
    after: Chain

    @property
    def step(self) -> str:
        """The step that was intended."""
        return str(self.entry.detail.get("step"))

    def report(self, fault: str) -> Discrepancy:
        """Return the fault as one of this incident."""
        return _report(self.entry, fault)


def reconcile_registry(
    chains: Iterable[Chain],
    versions: Iterable[ModelVersion],
    *,
    now: datetime | None = None,
    doubtful: Container[str] = (),
) -> Iterator[Discrepancy]:
    """Yield where log and registry disagree.

    Args:
        chains: Those that are sound.
        versions: Those of the registry.
        now: With it, what was not verified in time is found, too.
        doubtful: Keys of effects that chains name which are not sound: their own fault is enough.
    """
    known = [chain for chain in chains if chain]
    intents = {key: intent for chain in known for key, intent in _list_intents(chain)}
    there = {}
    for version in versions:
        if _is_copy(version, intents):
            fault = f"version {version.version} is a copy of another model's: it is not judged"
            yield _report_version(version, fault, grave=False)
        else:
            there[version.model, version.version] = version
    yield from _find_repeated_effects(there.values())
    for version in there.values():
        yield from _judge_version(version, intents, doubtful)
        if version.champion and now is not None:
            yield from _judge_late_verification(version, intents, now)
    newest = _find_newest_numbers(there)
    for chain in known:
        yield from _judge_chain(chain, there, newest)
    moves = _list_moves(known)
    for version in there.values():
        told = any(key in doubtful for key in list_promotion_keys(version.tags))
        if version.champion and not told and not _is_being_moved(version, intents):
            yield from _judge_champion(version, moves.get(version.model))


def _list_intents(chain: Chain) -> Iterator[tuple[str, Intent]]:
    for number, line in enumerate(chain):
        key = line.entry.detail.get("key")
        if line.entry.gate is Gate.INTENDED and isinstance(key, str):
            yield key, Intent(line.entry, chain[:number], chain[number + 1 :])


def _is_copy(version: ModelVersion, intents: dict[str, Intent]) -> bool:
    """Return whether a person copied a version to another model; MLflow copies its tags too."""
    keys = [version.tags.get(EFFECT_KEY_TAG, ""), *list_promotion_keys(version.tags)]
    return any(key in intents and intents[key].entry.model != version.model for key in keys)


def _judge_version(
    version: ModelVersion, intents: dict[str, Intent], doubtful: Container[str]
) -> Iterator[Discrepancy]:
    """Yield what is wrong with the effects that a version's tags name."""
    made = version.tags.get(EFFECT_KEY_TAG)
    effects = [(made, "was trained")] if made else []
    effects += [(key, "was made champion") for key in list_promotion_keys(version.tags)]
    for key, deed in effects:
        intent = intents.get(key)
        if intent is None:
            fault = f"version {version.version} {deed} by the effect {key:.12}, of which"
            told = key in doubtful
            who = "only a chain that is not sound tells" if told else "the log knows nothing"
            yield _report_version(version, f"{fault} {who}", grave=not told)
            continue
        authority = _explain_missing_authority(intent)
        if authority:
            fault = f"version {version.version} {deed} by the effect {key:.12}: {authority}"
            yield intent.report(fault)
        elif _is_closed(intent.after) and not _find_results(intent):
            fault = f"version {version.version} {deed} by the effect {key:.12}, which was intended"
            # A retraining that was terminated may register its version after the sweep.
            stray = key == made and _is_abandoned(intent.after)
            grave = version.champion or not stray
            yield _report(intent.entry, f"{fault} and never reported", grave=grave)


def _judge_late_verification(
    version: ModelVersion, intents: dict[str, Intent], now: datetime
) -> Iterator[Discrepancy]:
    """Yield if an incident made this version champion long ago, and is open without a verdict."""
    for key in list_promotion_keys(version.tags):
        intent = intents.get(key)
        if intent is None or intent.step == Step.UNDO or _is_closed(intent.after):
            continue
        settled = _holds(intent.after, Gate.VERIFIED, "verified")
        settled = settled or _holds(intent.after, Gate.UNDONE, "applied")
        if now - intent.entry.at > _VERIFYING_TIME and not settled:
            yield intent.report(
                f"version {version.version} was to be made champion at"
                f" {intent.entry.at:%Y-%m-%d %H:%M} UTC, is champion, and was never verified"
            )


def _find_repeated_effects(versions: Iterable[ModelVersion]) -> Iterator[Discrepancy]:
    made: dict[str, ModelVersion] = {}
    for version in versions:
        key = version.tags.get(EFFECT_KEY_TAG)
        if key is None:
            continue
        if first := made.get(key):
            fault = f"versions {first.version} and {version.version} were trained by one effect"
            yield _report_version(version, f"{fault}, {key:.12}")
        made.setdefault(key, version)


def _explain_missing_authority(intent: Intent) -> str:
    """Return why nobody allowed what was intended; empty if somebody did."""
    granted = next(
        (line.entry for line in reversed(intent.before) if line.entry.gate is Gate.AUTHORISED), None
    )
    if granted is None:
        return "nothing authorises it"
    earlier = intent.before[: granted.sequence]
    if granted.actor.startswith("person:"):
        answered = any(
            line.entry.gate is Gate.ANSWERED and line.entry.detail.get("accepted") is True
            for line in earlier
        )
        return "" if answered else f"{granted.actor} allowed it, and gave no answer"
    decided = next(
        (line.entry for line in reversed(earlier) if line.entry.gate is Gate.DECIDED), None
    )
    verdict = decided.detail.get("verdict") if decided else None
    return "" if verdict == "execute" else f"{granted.actor} allowed it; the verdict was {verdict}"


def _find_results(intent: Intent) -> list[AuditEntry]:
    return [
        line.entry
        for line in intent.after
        if line.entry.gate in {Gate.EFFECTED, Gate.UNDONE}
        and line.entry.detail.get("step") == intent.step
    ]


def _find_newest_numbers(there: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return the highest version number of each model; MLflow gives no number twice."""
    newest: dict[str, int] = {}
    for model, number in there:
        if number.isdecimal():
            newest[model] = max(newest.get(model, 0), int(number))
    return newest


def _judge_chain(
    chain: Chain, there: dict[tuple[str, str], ModelVersion], newest: dict[str, int]
) -> Iterator[Discrepancy]:
    """Yield effects that a chain reports and the registry does not have.

    A person may delete an old version. Then newer ones are there, and it is worth a note.
    """
    first = chain[0].entry
    if first.gate is not Gate.OPENED:
        yield _report(first, f"begins with `{first.gate}`, not with `{Gate.OPENED}`")
    for entry in (line.entry for line in chain):
        if entry.gate in {Gate.EFFECTED, Gate.UNDONE} and entry.detail.get("applied") is True:
            number = str(entry.detail.get("version"))
            fault = _explain_missing_effect(entry, there.get((entry.model, number)))
            deleted = (entry.model, number) not in there and number.isdecimal()
            deleted = deleted and int(number) < newest.get(entry.model, 0)
            if fault:
                yield _report(entry, fault, grave=not deleted)


def _explain_missing_effect(entry: AuditEntry, version: ModelVersion | None) -> str:
    step, key = entry.detail.get("step"), str(entry.detail.get("key"))
    number = entry.detail.get("version")
    said = f"sequence {entry.sequence}: {step} of version {number} is reported, and the registry"
    if version is None:
        return f"{said} has no such version"
    if step == Step.RETRAIN:
        return "" if version.tags.get(EFFECT_KEY_TAG) == key else f"{said} shows another origin"
    return "" if build_promotion_tag(key) in version.tags else f"{said} shows no such change"


def _list_moves(chains: Iterable[Chain]) -> dict[str, _Moves]:
    logs: dict[str, _Moves] = {}
    for chain in chains:
        for line in chain:
            entry = line.entry
            is_move = entry.gate is Gate.UNDONE or (
                entry.gate is Gate.EFFECTED
                and entry.detail.get("step") in {Step.PROMOTE, Step.ROLL_BACK}
            )
            if is_move and entry.detail.get("applied") is True:
                logs.setdefault(entry.model, []).append((entry, chain))
    for log in logs.values():
        log.sort(key=lambda move: move[0].at)
    return logs


def _is_being_moved(version: ModelVersion, intents: dict[str, Intent]) -> bool:
    """Return whether an incident that is still open made this version champion."""
    own = [intents[key] for key in list_promotion_keys(version.tags) if key in intents]
    return any(not _is_closed(intent.after) for intent in own)


def _judge_champion(version: ModelVersion, log: _Moves | None) -> Iterator[Discrepancy]:
    """Yield what is wrong with a champion: who made it so, and whether it was verified."""
    moved, chain = log[-1] if log else (None, ())
    after = chain[moved.sequence + 1 :] if moved else ()
    expected = moved.detail.get("version") if moved else None
    if moved is None or expected != version.version:
        retrained = EFFECT_KEY_TAG in version.tags
        if moved is not None or retrained:
            last = f"it made version {expected} champion last" if moved else "it made none"
            fault = f"version {version.version} is champion, but not by what the log says: {last}"
            yield _report_version(version, fault, grave=retrained)
        return
    if moved.gate is not Gate.EFFECTED or not _is_closed(after):
        return
    said = _holds(after, Gate.VERIFIED, "verified")
    if not said or not is_marked_verified(chain, version):
        fault = f"version {expected} was made champion, and stays without being verified"
        only_said = "; the log says that it was, and the registry has no mark of it"
        yield _report(moved, f"{fault}{only_said if said else ''}")


def _holds(after: Chain, gate: Gate, name: str) -> bool:
    return any(line.entry.gate is gate and line.entry.detail.get(name) is True for line in after)


def _is_abandoned(after: Chain) -> bool:
    return any(
        line.entry.gate is Gate.CLOSED and line.entry.detail.get("ending") == Ending.ABANDONED
        for line in after
    )


def _is_closed(after: Chain) -> bool:
    return any(line.entry.gate is Gate.CLOSED for line in after)


def _report(entry: AuditEntry, fault: str, *, grave: bool = True) -> Discrepancy:
    return Discrepancy(incident=entry.incident, model=entry.model, fault=fault, grave=grave)


def _report_version(version: ModelVersion, fault: str, *, grave: bool = True) -> Discrepancy:
    return Discrepancy(incident="", model=version.model, fault=fault, grave=grave)

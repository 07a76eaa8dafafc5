"""Holds the audit log against the model registry and Temporal, both ways.

An effect in the registry must have been intended, authorised and reported in the log; an effect
that the log reports must be in the registry; an incident in Temporal must have its chain, and an
open chain its workflow.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from trimtab.contracts import names
from trimtab.contracts.audit import AuditEntry, AuditLine, Gate
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.reconciliation import Discrepancy, IncidentWorkflow
from trimtab.contracts.remediation import Step
from trimtab.contracts.tags import (
    EFFECT_KEY_TAG,
    build_promotion_tag,
    list_promotion_keys,
)

STARTING_TIME: Final = timedelta(minutes=2)
"""Time that a workflow has to write its first line, and a closing one its last."""

Chain = Sequence[AuditLine]


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


@dataclass
class _ModelLog:
    """What the log says of one model's champion: every change of it, oldest first."""

    moves: list[tuple[AuditEntry, Chain]] = field(default_factory=list)


def reconcile_registry(
    chains: Iterable[Chain], versions: Iterable[ModelVersion]
) -> Iterator[Discrepancy]:
    """Yield where the log and the registry's versions, tags and aliases disagree."""
    known = [chain for chain in chains if chain]
    there = {(version.model, version.version): version for version in versions}
    intents = {key: intent for chain in known for key, intent in _list_intents(chain)}
    yield from _find_repeated_effects(there.values())
    for version in there.values():
        yield from _judge_version(version, intents)
    for chain in known:
        yield from _judge_chain(chain, there)
    moves = _list_moves(known)
    for version in there.values():
        if version.champion and not _is_being_moved(version, intents):
            yield from _judge_champion(version, moves.get(version.model))


def reconcile_workflows(
    chains: Iterable[Chain], workflows: Iterable[IncidentWorkflow], *, now: datetime
) -> Iterator[Discrepancy]:
    """Yield workflows without a chain, and open chains without a workflow."""
    found = list(workflows)
    running = {each.id for each in found if each.running}
    with_chain = set()
    for chain in chains:
        if not chain:
            continue
        last = chain[-1].entry
        with_chain.add(names.build_drift_response_id(last.model, last.incident))
        if is_stuck(chain, running=running, now=now):
            yield _report(
                last,
                f"open since {chain[0].entry.at:%Y-%m-%d %H:%M} UTC, and no workflow runs: stuck at"
                f" `{last.gate}` until the sweeper closes it",
            )
    for each in found:
        if each.id.startswith(names.DRIFT_RESPONSE_PREFIX):
            yield from _judge_workflow(each, with_chain, now)


def is_stuck(chain: Chain, *, running: set[str], now: datetime) -> bool:
    """Return whether a chain is open while no workflow that could close it runs.

    Args:
        chain: Its lines.
        running: Ids of running workflows.
        now: A chain that was written to a moment ago is not stuck.
    """
    last = chain[-1].entry
    return (
        last.gate is not Gate.CLOSED
        and now - last.at > STARTING_TIME
        and names.build_drift_response_id(last.model, last.incident) not in running
        and names.build_remediation_id(last.model) not in running
    )


def _judge_workflow(
    each: IncidentWorkflow, with_chain: set[str], now: datetime
) -> Iterator[Discrepancy]:
    if each.type != names.DRIFT_RESPONSE:
        fault = f"workflow {each.id} is a {each.type}: it takes the id of an incident"
        yield Discrepancy(incident="", model="", fault=fault)
    elif each.id not in with_chain and now - each.started_at > STARTING_TIME:
        state = "runs" if each.running else "has ended"
        fault = f"workflow {each.id} {state} and has no audit chain"
        yield Discrepancy(incident="", model="", fault=fault)


def _list_intents(chain: Chain) -> Iterator[tuple[str, Intent]]:
    for number, line in enumerate(chain):
        key = line.entry.detail.get("key")
        if line.entry.gate is Gate.INTENDED and isinstance(key, str):
            yield key, Intent(line.entry, chain[:number], chain[number + 1 :])


def _judge_version(version: ModelVersion, intents: dict[str, Intent]) -> Iterator[Discrepancy]:
    """Yield what is wrong with the effects that a version's tags name."""
    made = version.tags.get(EFFECT_KEY_TAG)
    effects = [(made, "was trained")] if made else []
    effects += [(key, "was made champion") for key in list_promotion_keys(version.tags)]
    for key, deed in effects:
        intent = intents.get(key)
        if intent is None or intent.entry.model != version.model:
            fault = f"version {version.version} {deed} by the effect {key:.12}, of which the log"
            yield _report_version(version, f"{fault} knows nothing")
            continue
        authority = _explain_missing_authority(intent)
        if authority:
            fault = f"version {version.version} {deed} by the effect {key:.12}: {authority}"
            yield intent.report(fault)
        elif _is_closed(intent.after) and not _find_results(intent):
            fault = f"version {version.version} {deed} by the effect {key:.12}, which was intended"
            yield intent.report(f"{fault} and never reported")


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


def _judge_chain(chain: Chain, there: dict[tuple[str, str], ModelVersion]) -> Iterator[Discrepancy]:
    """Yield effects that a chain reports and the registry does not have."""
    first = chain[0].entry
    if first.gate is not Gate.OPENED:
        yield _report(first, f"begins with `{first.gate}`, not with `{Gate.OPENED}`")
    for entry in (line.entry for line in chain):
        if entry.gate in {Gate.EFFECTED, Gate.UNDONE} and entry.detail.get("applied") is True:
            fault = _explain_missing_effect(entry, there)
            if fault:
                yield _report(entry, fault)


def _explain_missing_effect(entry: AuditEntry, there: dict[tuple[str, str], ModelVersion]) -> str:
    step, key = entry.detail.get("step"), str(entry.detail.get("key"))
    number = str(entry.detail.get("version"))
    version = there.get((entry.model, number))
    said = f"sequence {entry.sequence}: {step} of version {number} is reported, and the registry"
    if version is None:
        return f"{said} has no such version"
    if step == Step.RETRAIN:
        return "" if version.tags.get(EFFECT_KEY_TAG) == key else f"{said} shows another origin"
    return "" if build_promotion_tag(key) in version.tags else f"{said} shows no such change"


def _list_moves(chains: Iterable[Chain]) -> dict[str, _ModelLog]:
    logs: dict[str, _ModelLog] = {}
    for chain in chains:
        for number, line in enumerate(chain):
            entry = line.entry
            is_move = entry.gate is Gate.UNDONE or (
                entry.gate is Gate.EFFECTED
                and entry.detail.get("step") in {Step.PROMOTE, Step.ROLL_BACK}
            )
            if is_move and entry.detail.get("applied") is True:
                log = logs.setdefault(entry.model, _ModelLog())
                log.moves.append((entry, chain[number + 1 :]))
    for log in logs.values():
        log.moves.sort(key=lambda move: move[0].at)
    return logs


def _is_being_moved(version: ModelVersion, intents: dict[str, Intent]) -> bool:
    """Return whether an incident that is still open made this version champion."""
    own = [intents[key] for key in list_promotion_keys(version.tags) if key in intents]
    return any(not _is_closed(intent.after) for intent in own)


def _judge_champion(version: ModelVersion, log: _ModelLog | None) -> Iterator[Discrepancy]:
    """Yield what is wrong with a champion: who made it so, and whether it was verified."""
    moved, after = log.moves[-1] if log else (None, ())
    expected = moved.detail.get("version") if moved else None
    if moved is None or expected != version.version:
        retrained = EFFECT_KEY_TAG in version.tags
        if moved is not None or retrained:
            last = f"it made version {expected} champion last" if moved else "it made none"
            fault = f"version {version.version} is champion, but not by what the log says: {last}"
            yield _report_version(version, fault, grave=retrained)
        return
    verified = any(
        line.entry.gate is Gate.VERIFIED and line.entry.detail.get("verified") is True
        for line in after
    )
    if moved.gate is Gate.EFFECTED and _is_closed(after) and not verified:
        yield _report(
            moved, f"version {expected} was made champion, and stays without being verified"
        )


def _is_closed(after: Chain) -> bool:
    return any(line.entry.gate is Gate.CLOSED for line in after)


def _report(entry: AuditEntry, fault: str) -> Discrepancy:
    return Discrepancy(incident=entry.incident, model=entry.model, fault=fault)


def _report_version(version: ModelVersion, fault: str, *, grave: bool = True) -> Discrepancy:
    return Discrepancy(incident="", model=version.model, fault=fault, grave=grave)

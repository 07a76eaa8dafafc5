"""Counts what became of every published event, from MLflow, the audit log, Temporal and Redis."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from trimtab.adapters.audit.log_reading import read_chain_files
from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.cli.audit.audit_verification import read_log_key, verify_deployment
from trimtab.contracts.audit import AuditLine, Gate
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.tags import EFFECT_KEY_TAG, list_promotion_keys
from trimtab.runtime.settings import Settings


@dataclass
class Account:
    """The events by how they ended."""

    published: int = 0
    closed: int = 0
    dead: int = 0
    lost: list[str] = field(default_factory=list)
    """Events that the stream accepted, with neither a chain nor a dead letter."""
    stuck: list[str] = field(default_factory=list)
    """Incidents whose chain is open."""
    twice: list[str] = field(default_factory=list)
    """Effects, ends and records that there are more than one of."""
    faults: list[str] = field(default_factory=list)
    """Grave findings of `audit reconcile`."""
    notes: list[str] = field(default_factory=list)
    """Its other findings."""
    endings: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    """Rules that decided."""
    conflicts: Counter[str] = field(default_factory=Counter)
    """Conflict lines by the gate whose line stands."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, done twice, stuck or unexplained."""
        return not (self.lost or self.stuck or self.twice or self.faults)


async def settle_account(
    settings: Settings, published: Iterable[DriftEvent], redis: Redis
) -> Account:
    """Return what became of every event that the stream has accepted."""
    registry = MlflowRegistry(settings=settings)
    chains = {
        file.lines[0].entry.incident: file.lines
        for file in read_chain_files(settings.home / "audit", key=read_log_key(settings))
        if file.lines
    }
    dead = await _count_dead_letters(redis, settings.redis.dead_letters)
    account = Account(dead=sum(dead.values()))
    for event in published:
        account.published += 1
        lines = chains.get(event.id, ())
        if not lines:
            account.lost += [] if dead[event.id] else [event.id]
        elif lines[-1].entry.gate is not Gate.CLOSED:
            account.stuck.append(f"{event.id} at {lines[-1].entry.gate}")
        else:
            _count_chain(account, lines)
    account.twice += find_repeated_effects(registry.list_all_versions())
    runs = Counter(each.incident for each in registry.list_recorded_tips())
    account.twice += [f"{name} recorded {count} times" for name, count in runs.items() if count > 1]
    return account


def reconcile(account: Account, settings: Settings) -> None:
    """Add what `trimtab audit reconcile` finds; it runs an event loop of its own."""
    found = verify_deployment(settings)
    account.faults += [f"{each.incident}: {each.fault}" for each in found.statuses if each.fault]
    for each in found.discrepancies:
        (account.faults if each.grave else account.notes).append(f"{each.incident}: {each.fault}")
    if found.temporal is None:
        account.faults.append(f"Temporal was not asked: {found.without_temporal}")


def _count_chain(account: Account, lines: Sequence[AuditLine]) -> None:
    account.closed += 1
    ends = [line.entry for line in lines if line.entry.gate is Gate.CLOSED]
    account.endings[str(ends[0].detail.get("ending"))] += 1
    if len(ends) > 1:
        account.twice.append(f"{ends[0].incident} closed {len(ends)} times")
    for line in lines:
        if line.entry.gate is Gate.DECIDED:
            account.rules[str(line.entry.detail.get("rule"))] += 1
        if line.entry.gate is Gate.CONFLICT:
            account.conflicts[str(line.entry.detail.get("standing_gate"))] += 1


def find_repeated_effects(versions: Iterable[ModelVersion]) -> list[str]:
    """Return the effects that more than one version bears the key of."""
    keys: list[str] = []
    for version in versions:
        keys += [version.tags[EFFECT_KEY_TAG]] if EFFECT_KEY_TAG in version.tags else []
        keys += list_promotion_keys(version.tags)
    counted = Counter(keys)
    return [
        f"effect {key:.12} happened {count} times" for key, count in counted.items() if count > 1
    ]


async def _count_dead_letters(redis: Redis, stream: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for _, fields in await redis.xrange(stream) or ():
        try:
            found[DriftEvent.model_validate_json((fields or {})[b"event"]).id] += 1
        except (KeyError, ValueError):
            found["unreadable"] += 1
    return found


def count_closed(folder: Path, known: set[str]) -> int:
    """Return the number of closed chains; `known` keeps their names from one call to the next."""
    for path in folder.rglob("*.jsonl"):
        if path.name not in known and b'"gate":"closed"' in path.read_bytes():
            known.add(path.name)
    return len(known)


def measure_size(folder: Path) -> int:
    """Return the number of bytes in all chains."""
    return sum(path.stat().st_size for path in folder.rglob("*.jsonl"))


def print_account(account: Account, console: Console, *, title: str) -> None:
    """Print the figures, and each thing that is wrong."""
    table = Table(title=title, title_justify="left")
    for heading in ("published", "closed", "dead letters", "lost", "twice", "stuck", "unexplained"):
        table.add_column(heading, justify="right")
    wrong = (account.lost, account.twice, account.stuck, account.faults)
    table.add_row(
        *(str(each) for each in (account.published, account.closed, account.dead)),
        *(str(len(each)) for each in wrong),
    )
    console.print(table)
    endings = ", ".join(f"{count} {name}" for name, count in account.endings.most_common())
    rules = ", ".join(f"{count} {name}" for name, count in account.rules.most_common())
    console.print(f"Endings: {endings}. Deciding rules: {rules}.")
    for gate, count in account.conflicts.items():
        console.print(f"Conflict lines at {gate}: {count}.")
    for each in (*account.lost, *account.twice, *account.stuck, *account.faults, *account.notes):
        console.print(f"- {each}", markup=False)

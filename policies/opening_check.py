"""Holds the openings of incidents against the configuration that was in force here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from policies.reconciliation import Chain
from trimtab.contracts.audit import AuditEntry, Gate
from trimtab.contracts.reconciliation import ConfigurationPeriod, Discrepancy

GRACE: Final = timedelta(minutes=1)
"""Time for which incidents may still start under a configuration that was replaced."""
Periods = Sequence[ConfigurationPeriod]


def was_in_force(period: ConfigurationPeriod, began_at: datetime) -> bool:
    """Return whether an incident may have begun under this configuration at that time."""
    return period.until is None or began_at < period.until + GRACE


def reconcile_openings(
    chains: Iterable[Chain], *, policies: Periods, specs: Mapping[str, Periods]
) -> Iterator[Discrepancy]:
    """Yield incidents that were opened under a policy or a specification of somebody's own.

    Args:
        chains: Those that are sound.
        policies: Every policy that was in force; none where they are not known.
        specs: Every specification that was in force, by model.
    """
    for chain in chains:
        if chain and chain[0].entry.gate is Gate.OPENED:
            opened = chain[0].entry
            yield from _judge(opened, "policy", policies)
            yield from _judge(opened, "spec", specs.get(opened.model, ()))


def _judge(opened: AuditEntry, thing: str, periods: Periods) -> Iterator[Discrepancy]:
    digest = opened.detail.get(f"{thing}_hash")
    known = [each for each in periods if each.hash == digest]
    if not periods or opened.at < periods[0].since:
        return  # before the archive began
    if any(was_in_force(each, opened.at) for each in known):
        return
    name = {"policy": "a policy", "spec": "a specification"}[thing]
    state = "was no longer in force" if known else "was never in force here"
    fault = f"opened under {name} ({digest!s:.12}) that {state}: somebody started it by hand"
    yield Discrepancy(incident=opened.incident, model=opened.model, fault=fault)

"""Finds policies whose people could never approve a plan, and targets that reach nobody."""

from collections.abc import Iterator

from trimtab.contracts.approvers import decode_public_key
from trimtab.contracts.decision import Limits
from trimtab.contracts.model import Tier
from trimtab.contracts.notice import check_target
from trimtab.runtime.paths import format_command


def check_people(limits: Limits) -> Iterator[str]:
    """Yield everything that is wrong with the policy's approvers and targets of notices."""
    yield from _check_approvers(limits)
    for name, target in limits.notify.items():
        yield from (f"notify.{name}: {fault}" for fault in check_target(target))


def _check_approvers(limits: Limits) -> Iterator[str]:
    """Yield why the policy's people could never approve a plan, or are not who they seem."""
    people = limits.approvers
    if limits.require_signature and not people:
        yield "require_signature = true: needs approvers with keys: list them under approvers"
    keyless = [name for name, each in people.items() if not each.keys]
    if limits.require_signature and keyless:
        make = format_command("approvers", "new", keyless[0])
        yield f"approvers.{keyless[0]}: has no key, and require_signature is true: run `{make}`"
    owners: dict[bytes, str] = {}
    for name, each in people.items():
        for key in map(decode_public_key, each.keys):
            if owners.setdefault(key, name) != name:
                yield f"approvers.{name}: has the same key as {owners[key]}: give each their own"
    folded = [name.casefold() for name in people]
    for name in people:
        if folded.count(name.casefold()) > 1:
            yield f"approvers.{name}: another name differs in case only: rename one"
    for tier in Tier if people else ():
        able = [name for name, each in people.items() if not each.tiers or tier in each.tiers]
        needed = limits.approvals_needed.get(tier, 1)
        if len(able) < needed:
            yield (
                f"approvals_needed.{tier} = {needed}: {len(able)} of the listed approvers may"
                f" approve for tier {tier}: list more people under approvers, add {tier} to the"
                f" tiers of others, or need fewer"
            )

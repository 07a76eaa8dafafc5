"""Checks that what is about to be done is what was granted, and that the world is as it was then.

Every effect passes here first: whatever a workflow, an agent or a person with the Temporal CLI
asks for, nothing happens that no grant allows.
"""

from trimtab.contracts.model import ModelVersion
from trimtab.contracts.ports import GrantGuard, ModelRegistry, Refused
from trimtab.contracts.remediation import Action, ActionOrder, GrantClaims, Step, compute_effect_key
from trimtab.contracts.tags import build_promotion_tag

ACTION_OF = {
    Step.RETRAIN: Action.RETRAIN,
    Step.PROMOTE: Action.RETRAIN,
    Step.ROLL_BACK: Action.ROLL_BACK,
}
"""Which granted action allows a step; undo belongs to both."""


class Permission:
    """Grants held against orders, and champions against what they were."""

    def __init__(self, *, registry: ModelRegistry, guard: GrantGuard) -> None:
        self._registry = registry
        self._guard = guard

    def check(self, order: ActionOrder, step: Step, *, expired_too: bool = False) -> GrantClaims:
        """The claims of the order's grant; raises `Refused` unless it allows this very step."""
        claims = self._guard.check(order.grant, expired_too=expired_too)
        granted = claims.model_dump(include=set(_bound(order, step)))
        for name, asked in _bound(order, step).items():
            if granted[name] != asked:
                msg = f"{step} is not granted: {name} is {asked!r}, granted was {granted[name]!r}"
                raise Refused(msg)
        if order.step != step or order.key != compute_effect_key(
            order.event_id, order.plan_hash, step
        ):
            msg = f"{step} is not ordered: the order is for {order.step!r} with key {order.key}"
            raise Refused(msg)
        if order.champion_version is None:
            msg = f"{order.spec.name!r} had no champion: there is nothing to compare or go back to"
            raise Refused(msg)
        return claims

    def champion(self, order: ActionOrder, *ours: Step) -> ModelVersion:
        """The champion, if it is the one at decision time or was made so by these steps of ours.

        Raises `Refused` for any other, and for the former champion once these steps were undone.
        """
        champion = self._registry.champion(order.spec.name)
        if champion is not None:
            if any(made_champion_by(champion, order, step) for step in ours):
                return champion
            if champion.version == order.champion_version:
                if made_champion_by(champion, order, Step.UNDO):
                    msg = f"this plan was undone: version {champion.version} stays champion"
                    raise Refused(msg)
                return champion
        msg = (
            f"champion of {order.spec.name!r} is version {champion and champion.version}, "
            f"it was {order.champion_version} when the decision was made"
        )
        raise Refused(msg)


def made_champion_by(version: ModelVersion, order: ActionOrder, step: Step) -> bool:
    """Whether that step of that plan made the version champion."""
    return (
        build_promotion_tag(compute_effect_key(order.event_id, order.plan_hash, step))
        in version.tags
    )


def _bound(order: ActionOrder, step: Step) -> dict[str, object]:
    """What of an order must stand in the grant, letter by letter."""
    bound: dict[str, object] = {
        "event_id": order.event_id,
        "model": order.spec.name,
        "action": ACTION_OF.get(step, order.action),
        "plan_hash": order.plan_hash,
        "policy_hash": order.policy_hash,
        "champion_version": order.champion_version,
    }
    if step is Step.ROLL_BACK:
        bound["target_version"] = order.challenger_version
    return bound

"""Checks that an action is the granted one, and that the champion is still the one decided on.

Every effect is checked here first. Whatever a workflow, an agent or a person with the Temporal CLI
asks for, nothing happens without a grant for exactly that.
"""

from trimtab.contracts.base import compute_digest
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.ports import ChampionMovedError, GrantGuard, ModelRegistry, Refused
from trimtab.contracts.remediation import (
    Action,
    ActionOrder,
    GrantClaims,
    Step,
    compute_effect_key,
)
from trimtab.contracts.tags import build_promotion_tag, build_verification_tag

ACTION_OF_STEP = {
    Step.RETRAIN: Action.RETRAIN,
    Step.PROMOTE: Action.RETRAIN,
    Step.ROLL_BACK: Action.ROLL_BACK,
}
"""The granted action that allows a step. Verify and undo belong to either action."""
_CHANGING_STEPS = frozenset(ACTION_OF_STEP)
"""The steps that a grant must name. An undo needs the grant of what it undoes."""


class Permission:
    """Compares orders with grants, and the champion with the one at decision time."""

    def __init__(self, *, registry: ModelRegistry, guard: GrantGuard) -> None:
        self._registry = registry
        self._guard = guard

    def check_grant(
        self, order: ActionOrder, step: Step, *, expired_too: bool = False
    ) -> GrantClaims:
        """Return the claims of the order's grant; raise `Refused` unless it allows this step."""
        claims = self._guard.check(order.grant, expired_too=expired_too)
        required = _required_claims(order, step)
        granted = claims.model_dump(include=set(required))
        for name, asked in required.items():
            if granted[name] != asked:
                msg = (
                    f"{step} is not granted: {name} is {asked!r}, but {granted[name]!r} is granted"
                )
                raise Refused(msg)
        if step in _CHANGING_STEPS and step not in claims.steps:
            msg = f"{step} is not granted: the grant names {', '.join(claims.steps) or 'no step'}"
            raise Refused(msg)
        key = compute_effect_key(order.event_id, order.plan_hash, step)
        if order.step != step or order.key != key:
            msg = f"{step} is not ordered: the order is for {order.step!r} with key {order.key}"
            raise Refused(msg)
        if order.champion_version is None:
            msg = f"{order.spec.name!r} had no champion: there is nothing to compare or restore"
            raise Refused(msg)
        return claims

    def check_open(self, order: ActionOrder) -> None:
        """Raise `Refused` once the order's incident has ended, as the registry records it.

        A grant is valid for longer than its incident may last, and histories keep it. Without this
        check, whoever reads them could carry on with a plan that a person has cancelled.
        """
        if self._registry.is_recorded(order.spec.name, order.event_id):
            msg = (
                f"incident {order.event_id!r} of {order.spec.name!r} has ended: its grant allows "
                "nothing any more"
            )
            raise Refused(msg)

    def check_not_frozen(self, model: str) -> None:
        """Raise `Refused` while the model, or every model, is frozen.

        Each step that replaces something asks this right before it does; undoing never asks.
        """
        freeze = self._registry.freeze(model)
        if freeze is not None:
            msg = f"nothing may be changed: {freeze}"
            raise Refused(msg)

    def check_champion(self, order: ActionOrder, *own_steps: Step) -> ModelVersion:
        """Return the champion if it is the one at decision time, or if our own steps promoted it.

        Raises `ChampionMovedError` for any other champion, and `Refused` for the former champion
        once these steps were undone.
        """
        champion = self._registry.champion(order.spec.name)
        if champion is not None:
            if any(is_promoted_by(champion, order, step) for step in own_steps):
                return champion
            if champion.version == order.champion_version:
                if is_promoted_by(champion, order, Step.UNDO):
                    msg = f"this plan was undone: version {champion.version} stays champion"
                    raise Refused(msg)
                return champion
        msg = (
            f"the champion of {order.spec.name!r} is version {champion and champion.version}, "
            f"but it was {order.champion_version} when the decision was made"
        )
        raise ChampionMovedError(msg)


def is_promoted_by(version: ModelVersion, order: ActionOrder, step: Step) -> bool:
    """Return whether that step of the order's plan made the version champion."""
    key = compute_effect_key(order.event_id, order.plan_hash, step)
    return build_promotion_tag(key) in version.tags


def is_verified(version: ModelVersion, order: ActionOrder) -> bool:
    """Return whether the order's plan was verified on this version: then it stays."""
    key = compute_effect_key(order.event_id, order.plan_hash, Step.VERIFY)
    return build_verification_tag(key) in version.tags


def _required_claims(order: ActionOrder, step: Step) -> dict[str, object]:
    """Return what the grant must claim, by name, to allow the step of the order."""
    required: dict[str, object] = {
        "event_id": order.event_id,
        "model": order.spec.name,
        "action": ACTION_OF_STEP.get(step, order.action),
        "plan_hash": order.plan_hash,
        "policy_hash": order.policy_hash,
        "champion_version": order.champion_version,
        "spec_hash": compute_digest(order.spec),
        "verification_margin": order.verification_margin,
    }
    if step is Step.ROLL_BACK:
        required["target_version"] = order.challenger_version
    return required

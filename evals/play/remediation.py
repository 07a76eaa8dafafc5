"""Carries out an allowed plan by the true activities, in the order of `RemediationWorkflow`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.authorisation import STEPS_OF_ACTION
from activities.remediation import RemediationActivities
from evals.play.memory_pipelines import MemoryPipelines
from evals.play.memory_ports import OpenGuard
from evals.play.memory_registry import MemoryRegistry
from policies.incident import build_action_order
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Decision
from trimtab.contracts.deliberation import RemediationPlan
from trimtab.contracts.incident import IncidentInput
from trimtab.contracts.remediation import (
    Action,
    ActionOrder,
    GrantClaims,
    Outcome,
    RegistryEffect,
    Step,
    Verification,
    compute_effect_key,
)

_LIFETIME: Final = timedelta(hours=1)
_NO_TIP: Final = "0" * 64


@dataclass
class _Progress:
    """What a plan has done so far."""

    challenger: str | None
    moved: bool = False
    effects: list[RegistryEffect] = field(default_factory=list)
    verification: Verification | None = None
    faults: list[str] = field(default_factory=list)


async def remediate(
    incident: IncidentInput,
    plan: RemediationPlan,
    decision: Decision,
    *,
    authority: str,
    registry: MemoryRegistry,
    pipelines: MemoryPipelines,
) -> Outcome:
    """Retrain and promote, or roll back; verify, and undo what is not verified."""
    grant = _mint_grant(incident, plan, decision, authority=authority)
    margin = {"verification_margin": incident.limits.verification_margin}
    order = build_action_order(incident, plan, decision, grant).model_copy(update=margin)
    activities = RemediationActivities(registry=registry, pipelines=pipelines, guard=OpenGuard())
    progress = _Progress(challenger=order.challenger_version)
    try:
        await _change_champion(activities, order, progress)
        if progress.moved:
            verify = _build_step(order, Step.VERIFY, progress)
            progress.verification = await _run(activities.verify, verify)
    except ApplicationError as error:
        progress.faults.append(str(error))
    kept = progress.verification is not None and progress.verification.verified
    undone = False
    if progress.moved and not kept:
        effect = await _run(activities.undo, _build_step(order, Step.UNDO, progress))
        progress.effects.append(effect)
        undone = effect.applied
    return _build_outcome(progress, undone=undone)


async def _change_champion(
    activities: RemediationActivities, order: ActionOrder, progress: _Progress
) -> None:
    if order.action is Action.ROLL_BACK:
        step = Step.ROLL_BACK
        effect = await _run(activities.roll_back_champion, _build_step(order, step, progress))
    else:
        progress.challenger = None
        made = await _run(activities.retrain_challenger, _build_step(order, Step.RETRAIN, progress))
        progress.effects.append(made)
        progress.challenger = made.version
        effect = await _run(
            activities.promote_challenger, _build_step(order, Step.PROMOTE, progress)
        )
    progress.effects.append(effect)
    progress.moved = effect.applied


def _build_step(order: ActionOrder, step: Step, progress: _Progress) -> ActionOrder:
    key = compute_effect_key(order.event_id, order.plan_hash, step)
    return order.model_copy(
        update={"step": step.value, "key": key, "challenger_version": progress.challenger}
    )


def _mint_grant(
    incident: IncidentInput, plan: RemediationPlan, decision: Decision, *, authority: str
) -> str:
    now = _get_now(incident)
    claims = GrantClaims(
        event_id=incident.event.id,
        model=plan.model,
        action=plan.action,
        plan_hash=decision.plan_hash,
        policy_hash=decision.policy_hash,
        champion_version=plan.champion_version,
        target_version=plan.target_version,
        steps=STEPS_OF_ACTION[plan.action],
        spec_hash=compute_digest(incident.spec),
        verification_margin=incident.limits.verification_margin,
        as_of=now,
        authority=authority,
        issued_at=now,
        expires_at=now + _LIFETIME,
    )
    return OpenGuard().mint(claims)


def _get_now(incident: IncidentInput) -> datetime:
    return incident.as_of or incident.published_at


async def _run(activity: Callable[[ActionOrder], Any], order: ActionOrder) -> Any:  # noqa: ANN401
    """Return what the activity returns, in the surroundings that Temporal gives it."""
    result = ActivityEnvironment().run(activity, order)
    return await result if isinstance(result, Awaitable) else result


def _build_outcome(progress: _Progress, *, undone: bool) -> Outcome:
    last = [effect.detail for effect in progress.effects[-1:]]
    return Outcome(
        effects=tuple(progress.effects),
        verification=progress.verification,
        undone=undone,
        failed=bool(progress.faults),
        detail="; ".join(progress.faults or last)[:1000],
        audit_sequence=0,
        audit_tip=_NO_TIP,
    )

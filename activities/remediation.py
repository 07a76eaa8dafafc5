"""Acts on the model registry: each effect is granted, keyed, and found again, never repeated."""

import asyncio
from typing import Final

from temporalio import activity

from activities.errors import translate_errors
from activities.heartbeat import run_with_heartbeat
from activities.model_comparison import (
    VersionComparison,
    build_unverified,
    compare_versions,
    explain_uselessness,
    may_learn_corrupt_rows,
    rate_gate,
    verify_comparison,
)
from activities.permission import Permission, is_promoted_by, is_verified
from policies.rollback import explain_unfit_target, was_champion
from trimtab.contracts.base import Record
from trimtab.contracts.model import GateOutcome, ModelVersion, Slice
from trimtab.contracts.ports import GrantGuard, ModelRegistry, PipelineRunner, Refused
from trimtab.contracts.remediation import (
    Action,
    ActionOrder,
    GrantClaims,
    RegistryEffect,
    Step,
    Verification,
    compute_effect_key,
)

_VERSIONS_SEARCHED: Final = 100
"""Newest versions among which a rollback's target is looked for."""


class RetrainingReport(Record):
    """Output of the pipeline `retraining`."""

    version: str
    reused: bool = False
    """Whether an earlier attempt had trained the version."""
    rows: int = 0


class RemediationActivities:
    """The only activities that change a model; they run on the queue `trimtab-actions`."""

    def __init__(
        self, *, registry: ModelRegistry, pipelines: PipelineRunner, guard: GrantGuard
    ) -> None:
        self._registry = registry
        self._pipelines = pipelines
        self._permission = Permission(registry=registry, guard=guard)

    @activity.defn
    @translate_errors
    async def retrain_challenger(self, order: ActionOrder) -> RegistryEffect:
        """Train a version on recent rows, or find the one that this step trained before."""
        claims = self._permission.check_grant(order, Step.RETRAIN)
        await asyncio.to_thread(self._permission.check_open, order)
        await asyncio.to_thread(self._permission.check_champion, order, Step.PROMOTE)
        made = await self._find_retrained(order)
        if made is None:
            await asyncio.to_thread(self._permission.check_not_frozen, order.spec.name)
            made = await self._retrain(order, claims)
        return _build_effect(
            order,
            version=made.version,
            applied=True,
            reused=made.reused,
            rows=made.rows,
            detail=f"version {made.version} was trained on {made.rows} rows",
        )

    @activity.defn
    @translate_errors
    async def promote_challenger(self, order: ActionOrder) -> RegistryEffect:
        """Make the challenger champion if the gate says that it is better.

        If it cannot tell, the challenger stays one, and a later window may show it.
        """
        claims = self._permission.check_grant(order, Step.PROMOTE)
        await asyncio.to_thread(self._permission.check_open, order)
        champion = await asyncio.to_thread(self._permission.check_champion, order, Step.PROMOTE)
        challenger = await self._find_own_challenger(order)
        promoted_before = is_promoted_by(champion, order, Step.PROMOTE)
        comparison = await compare_versions(self._pipelines, order, Slice.GATE, claims=claims)
        answer = rate_gate(comparison, order.spec.promotion_margin)
        is_better = promoted_before or answer.outcome is GateOutcome.BETTER
        refusal = "" if is_better else answer.reason
        moved = not refusal and await asyncio.to_thread(self._set_champion, order, challenger)
        return _build_effect(
            order,
            version=challenger,
            previous_version=order.champion_version,
            applied=not refusal,
            reused=not refusal and not moved,
            **comparison.values,
            rows=comparison.rows,
            detail=refusal or f"version {challenger} was made champion: {answer.reason}",
            gate=answer.outcome,
            comparison=answer.comparison,
        )

    @activity.defn
    @translate_errors
    async def roll_back_champion(self, order: ActionOrder) -> RegistryEffect:
        """Make the earlier version that the grant names champion again, if it is better now."""
        claims = self._permission.check_grant(order, Step.ROLL_BACK)
        await asyncio.to_thread(self._permission.check_open, order)
        target = claims.target_version
        if target is None or target == order.champion_version:
            msg = (
                f"a rollback needs another version than the champion {order.champion_version} "
                f"as its target, not {target}"
            )
            raise Refused(msg)
        champion = await asyncio.to_thread(self._permission.check_champion, order, Step.ROLL_BACK)
        moved_before = is_promoted_by(champion, order, Step.ROLL_BACK)
        comparison = await compare_versions(self._pipelines, order, Slice.RECENT, claims=claims)
        refusal = "" if moved_before else await self._explain_no_rollback(order, target, comparison)
        moved = not refusal and await asyncio.to_thread(self._set_champion, order, target)
        return _build_effect(
            order,
            version=target,
            previous_version=order.champion_version,
            applied=not refusal,
            reused=not refusal and not moved,
            **comparison.values,
            rows=comparison.rows,
            detail=refusal or f"version {target} was made champion again: {comparison}",
        )

    @activity.defn
    @translate_errors
    async def verify(self, order: ActionOrder) -> Verification:
        """Compare the new champion with the former one, on rows that neither was chosen by.

        A rollback's target was not trained on the newest window, so all of that window counts. What
        is verified is marked so in the registry, and is not undone any more.
        """
        claims = self._permission.check_grant(order, Step.VERIFY, expired_too=True)
        await asyncio.to_thread(self._permission.check_open, order)
        champion = await asyncio.to_thread(self._registry.champion, order.spec.name)
        version = champion.version if champion else None
        if version is None or version != order.challenger_version:
            return build_unverified(
                order, f"the champion is version {version}, not {order.challenger_version}"
            )
        if champion is None or not _is_promoted_by_plan(champion, order):
            return build_unverified(order, f"this plan did not make version {version} champion")
        retrained = order.action is Action.RETRAIN
        part = Slice.VERIFICATION if retrained else Slice.RECENT
        comparison = await compare_versions(self._pipelines, order, part, claims=claims)
        verification = verify_comparison(order, comparison)
        if verification.verified:
            await asyncio.to_thread(
                self._registry.mark_verified, order.spec.name, version, key=order.key
            )
        return verification

    @activity.defn
    @translate_errors
    def undo(self, order: ActionOrder) -> RegistryEffect:
        """Make the former champion champion again, if this plan replaced it.

        The same grant is required, but it may have expired: returning to what served before is
        safe, and must not fail because a verification took long. The former champion is marked
        even if nothing has moved, so that a late attempt to replace it is refused.
        """
        claims = self._permission.check_grant(order, Step.UNDO, expired_too=True)
        self._permission.check_open(order)
        former = claims.champion_version
        champion = self._registry.champion(order.spec.name)
        version = champion.version if champion else None
        is_own = champion is not None and _is_promoted_by_plan(champion, order)
        if former is None or champion is None or not (is_own or version == former):
            return _build_effect(
                order,
                version=version,
                applied=False,
                detail=f"not undone: somebody else has made version {version} champion",
            )
        if is_own and is_verified(champion, order):
            return _build_effect(
                order,
                version=version,
                applied=False,
                detail=f"not undone: version {version} was verified, and this plan is closed",
            )
        undone_before = is_promoted_by(champion, order, Step.UNDO)
        self._registry.set_champion(order.spec.name, former, expected=version, key=order.key)
        moved = version != former
        return _build_effect(
            order,
            version=former,
            previous_version=version,
            applied=moved or undone_before,
            reused=undone_before,
            detail=f"version {former} " + ("was made champion again" if moved else "is champion"),
        )

    async def _find_retrained(self, order: ActionOrder) -> RetrainingReport | None:
        """Return the version that carries this step's key, or None."""
        found = await asyncio.to_thread(self._registry.find_version, order.spec.name, key=order.key)
        if found is None:
            return None
        rows = found.trained_on.rows if found.trained_on else 0
        return RetrainingReport(version=found.version, reused=True, rows=rows)

    async def _retrain(self, order: ActionOrder, claims: GrantClaims) -> RetrainingReport:
        report = await run_with_heartbeat(
            self._pipelines.run(
                "retraining",
                {
                    "model": order.spec.name,
                    "as_of": claims.as_of.isoformat(),
                    "key": order.key,
                    "event_id": order.event_id,
                    "correlation_id": order.correlation_id,
                    "plan_hash": order.plan_hash,
                    "corrupt_too": may_learn_corrupt_rows(claims),
                },
            )
        )
        made = RetrainingReport.model_validate(report)
        found = await self._find_retrained(order)
        if found is None or found.version != made.version:
            msg = (
                f"retraining reports version {made.version} of {order.spec.name!r}, but the "
                f"registry holds {found and found.version} for its key {order.key}"
            )
            raise Refused(msg)
        return made

    async def _find_own_challenger(self, order: ActionOrder) -> str:
        """Return the challenger; raise `Refused` unless this plan's own retraining made it."""
        key = compute_effect_key(order.event_id, order.plan_hash, Step.RETRAIN)
        made = await asyncio.to_thread(self._registry.find_version, order.spec.name, key=key)
        if made is None or made.version != order.challenger_version:
            msg = (
                f"version {order.challenger_version} was not made by this plan's retraining, "
                f"which made {made and made.version}"
            )
            raise Refused(msg)
        return made.version

    async def _explain_no_rollback(
        self, order: ActionOrder, target: str, comparison: VersionComparison
    ) -> str:
        """Return why the target must not be made champion again; empty if it may be."""
        if fault := explain_uselessness(comparison):
            return f"not rolled back: {fault}"
        versions = await asyncio.to_thread(
            self._registry.versions, order.spec.name, limit=_VERSIONS_SEARCHED
        )
        measured = (comparison.before, comparison.after)
        fault = explain_unfit_target(
            target,
            champion=order.champion_version,
            metrics={each.version: each.value for each in measured if each and each.rows},
            former_champions=[each.version for each in versions if was_champion(each)],
            margin=order.spec.promotion_margin,
        )
        return fault and f"not rolled back: {fault}"

    def _set_champion(self, order: ActionOrder, version: str) -> bool:
        self._permission.check_open(order)
        self._permission.check_not_frozen(order.spec.name)
        return self._registry.set_champion(
            order.spec.name, version, expected=order.champion_version, key=order.key
        )


def _is_promoted_by_plan(champion: ModelVersion, order: ActionOrder) -> bool:
    return any(is_promoted_by(champion, order, step) for step in (Step.PROMOTE, Step.ROLL_BACK))


def _build_effect(order: ActionOrder, **changes: object) -> RegistryEffect:
    return RegistryEffect.model_validate(
        {"step": order.step, "key": order.key, "model": order.spec.name, **changes}
    )

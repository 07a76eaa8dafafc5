"""Acts on the model registry: each effect granted, keyed, and found again rather than repeated."""

import asyncio

from temporalio import activity

from activities.comparison import compare, judge, no_better, unverified
from activities.errors import translated
from activities.heartbeat import beating
from activities.permission import Permission, made_champion_by
from trimtab.contracts.base import Record
from trimtab.contracts.model import ModelVersion, Slice
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


class Retrained(Record):
    """What the pipeline `retraining` reports."""

    version: str
    reused: bool = False
    rows: int = 0


class RemediationActivities:
    """The only activities that change a model; they run on `trimtab-actions`."""

    def __init__(
        self, *, registry: ModelRegistry, pipelines: PipelineRunner, guard: GrantGuard
    ) -> None:
        self._registry = registry
        self._pipelines = pipelines
        self._permission = Permission(registry=registry, guard=guard)

    @activity.defn
    @translated
    async def retrain_challenger(self, order: ActionOrder) -> RegistryEffect:
        """Train a version on recent rows, or find the one that this very step has trained."""
        claims = self._permission.check(order, Step.RETRAIN)
        await asyncio.to_thread(self._permission.champion, order, Step.PROMOTE)
        made = await self._find_made(order) or await self._retrain(order, claims)
        return _effect(
            order,
            version=made.version,
            applied=True,
            reused=made.reused,
            rows=made.rows,
            detail=f"version {made.version} was trained on {made.rows} rows",
        )

    @activity.defn
    @translated
    async def promote_challenger(self, order: ActionOrder) -> RegistryEffect:
        """Make the challenger champion if it is better by more than the margin."""
        self._permission.check(order, Step.PROMOTE)
        champion = await asyncio.to_thread(self._permission.champion, order, Step.PROMOTE)
        challenger = await self._own_challenger(order)
        ours = made_champion_by(champion, order, Step.PROMOTE)
        comparison = await compare(self._pipelines, order, Slice.GATE)
        worse = "" if ours else no_better(comparison, order.spec.promotion_margin)
        moved = not worse and await asyncio.to_thread(self._set_champion, order, challenger)
        return _effect(
            order,
            version=challenger,
            previous_version=order.champion_version,
            applied=not worse,
            reused=not worse and not moved,
            **comparison.values,
            rows=comparison.rows,
            detail=worse or f"version {challenger} was made champion: {comparison}",
        )

    @activity.defn
    @translated
    def roll_back_champion(self, order: ActionOrder) -> RegistryEffect:
        """Make the earlier version that the grant names champion again."""
        target = self._permission.check(order, Step.ROLL_BACK).target_version
        if target is None or target == order.champion_version:
            msg = f"a rollback from version {order.champion_version} to {target} leads nowhere"
            raise Refused(msg)
        self._permission.champion(order, Step.ROLL_BACK)
        moved = self._set_champion(order, target)
        return _effect(
            order,
            version=target,
            previous_version=order.champion_version,
            applied=True,
            reused=not moved,
            detail=f"version {target} was made champion again",
        )

    @activity.defn
    @translated
    async def verify(self, order: ActionOrder) -> Verification:
        """Compare the new champion with the former one on rows that chose neither.

        A version to go back to was not trained on the newest window: there all of it counts.
        """
        champion = await asyncio.to_thread(self._registry.champion, order.spec.name)
        version = champion.version if champion else None
        if version is None or version != order.challenger_version:
            return unverified(
                order, f"champion is version {version}, not {order.challenger_version}"
            )
        retrained = order.action is Action.RETRAIN
        part = Slice.VERIFICATION if retrained else Slice.RECENT
        return judge(order, await compare(self._pipelines, order, part))

    @activity.defn
    @translated
    def undo(self, order: ActionOrder) -> RegistryEffect:
        """Make the former champion champion again, if it was we who replaced it.

        The same grant is demanded, but an expired one will do: going back to what served before
        is the safe side, and must not fail because a verification took long. The former champion
        is marked even if nothing has moved, so that a late attempt to replace it is refused.
        """
        former = self._permission.check(order, Step.UNDO, expired_too=True).champion_version
        champion = self._registry.champion(order.spec.name)
        version = champion.version if champion else None
        ours = champion is not None and _is_ours(champion, order)
        if former is None or champion is None or not (ours or version == former):
            return _effect(
                order,
                version=version,
                applied=False,
                detail=f"left alone: somebody else made version {version} champion meanwhile",
            )
        again = made_champion_by(champion, order, Step.UNDO)
        self._registry.set_champion(order.spec.name, former, expected=version, key=order.key)
        back = version != former
        return _effect(
            order,
            version=former,
            previous_version=version,
            applied=back or again,
            reused=again,
            detail=f"version {former} " + ("was made champion again" if back else "is champion"),
        )

    async def _find_made(self, order: ActionOrder) -> Retrained | None:
        """The version that carries this step's key."""
        found = await asyncio.to_thread(self._registry.find_version, order.spec.name, key=order.key)
        if found is None:
            return None
        rows = found.trained_on.rows if found.trained_on else 0
        return Retrained(version=found.version, reused=True, rows=rows)

    async def _retrain(self, order: ActionOrder, claims: GrantClaims) -> Retrained:
        report = await beating(
            self._pipelines.run(
                "retraining",
                {
                    "model": order.spec.name,
                    "as_of": order.current.end.isoformat(),
                    "key": order.key,
                    "event_id": order.event_id,
                    "correlation_id": order.correlation_id,
                    "plan_hash": order.plan_hash,
                    "corrupt_too": claims.authority.startswith("person:"),
                },
            )
        )
        made = Retrained.model_validate(report)
        found = await self._find_made(order)
        if found is None or found.version != made.version:
            msg = (
                f"retraining reports version {made.version} of {order.spec.name!r}, the registry "
                f"holds {found and found.version} for its key {order.key}"
            )
            raise Refused(msg)
        return made

    async def _own_challenger(self, order: ActionOrder) -> str:
        """The challenger, if this plan's own retraining made it."""
        key = compute_effect_key(order.event_id, order.plan_hash, Step.RETRAIN)
        made = await asyncio.to_thread(self._registry.find_version, order.spec.name, key=key)
        if made is None or made.version != order.challenger_version:
            msg = (
                f"version {order.challenger_version} is not what this plan's retraining made: "
                f"that is {made and made.version}"
            )
            raise Refused(msg)
        return made.version

    def _set_champion(self, order: ActionOrder, version: str) -> bool:
        return self._registry.set_champion(
            order.spec.name, version, expected=order.champion_version, key=order.key
        )


def _is_ours(champion: ModelVersion, order: ActionOrder) -> bool:
    return any(made_champion_by(champion, order, step) for step in (Step.PROMOTE, Step.ROLL_BACK))


def _effect(order: ActionOrder, **changes: object) -> RegistryEffect:
    return RegistryEffect.model_validate(
        {"step": order.step, "key": order.key, "model": order.spec.name, **changes}
    )

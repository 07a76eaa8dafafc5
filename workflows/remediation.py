"""Carries out an authorised plan on one model: act, verify, and undo what did not help.

Its id, `remediation/<model>`, makes it the only one at work on that model. It always ends with an
outcome that tells where the audit chain stands, also when it fails or is cancelled.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.remediation import RemediationActivities
    from trimtab.contracts import names
    from trimtab.contracts.audit import Gate
    from trimtab.contracts.remediation import (
        Action,
        ActionOrder,
        Outcome,
        RegistryEffect,
        RemediationInput,
        Step,
        Verification,
        compute_effect_key,
    )
    from workflows import options
    from workflows.chain import AuditChain, Moment
    from workflows.failure import reason

ACTOR = "trimtab"


class Stopped(Exception):  # noqa: N818 - says what happened
    """The plan cannot be carried out further; the message says why."""


@workflow.defn(name=names.REMEDIATION)
class RemediationWorkflow:
    """Retrain and promote, or roll back; then verify; undo unless verified."""

    @workflow.init
    def __init__(self, request: RemediationInput) -> None:
        self._request = request
        self._chain = AuditChain(
            request.order, sequence=request.audit_sequence, tip=request.audit_tip
        )
        self._challenger = request.order.challenger_version
        self._effects: list[RegistryEffect] = []
        self._verification: Verification | None = None
        self._moved = False
        self._undone = False
        self._cancelled = False
        self._faults: list[str] = []

    @workflow.run
    async def run(self, request: RemediationInput) -> Outcome:
        """Whatever happens on the way, nothing stays changed that is not verified."""
        self._show(request.order)
        try:
            await self._change(request.order.action)
            if self._moved and not self._cancelled:
                await self._verify()
        except Stopped as stop:
            self._faults.append(str(stop))
        if self._moved and not self._kept:
            await self._undo()
        await self._close()
        return self._outcome()

    @property
    def _kept(self) -> bool:
        """Whether what was changed may stay."""
        verified = self._verification is not None and self._verification.verified
        return verified and not self._cancelled

    def _show(self, order: ActionOrder) -> None:
        workflow.upsert_search_attributes(
            [
                options.MODEL.value_set(order.spec.name),
                options.ACTION.value_set(order.action.value),
                options.CORRELATION_ID.value_set(order.correlation_id),
            ]
        )

    async def _change(self, action: Action) -> None:
        if action is Action.ROLL_BACK:
            await self._replace(Step.ROLL_BACK, RemediationActivities.roll_back_champion)
            return
        self._challenger = None
        retrained = await self._take(
            Step.RETRAIN, RemediationActivities.retrain_challenger, self._training
        )
        self._challenger = retrained.version
        await self._replace(Step.PROMOTE, RemediationActivities.promote_challenger)

    @property
    def _training(self) -> options.ActivityOptions:
        return {**options.TRAIN, "heartbeat_timeout": self._request.heartbeat}

    async def _replace(self, step: Step, method: Callable[..., Any]) -> None:
        """Another champion. Whether an attempt that fails has moved it is unknown: assume so."""
        await self._intend(step)
        self._moved = True
        effect = await self._perform(step, method, options.ACT)
        self._moved = effect.applied

    async def _take(
        self, step: Step, method: Callable[..., Any], how: options.ActivityOptions
    ) -> RegistryEffect:
        await self._intend(step)
        return await self._perform(step, method, how)

    async def _intend(self, step: Step) -> None:
        """On disk before it happens; what cannot be recorded is not done."""
        self._expect_to_go_on(step)
        order = self._order(step)
        intent: dict[str, JsonValue] = {
            "step": step.value,
            "key": order.key,
            "champion_version": order.champion_version,
            "challenger_version": order.challenger_version,
        }
        try:
            await self._record((Gate.INTENDED, ACTOR, intent))
        except FailureError as error:
            msg = f"{step}: the intent could not be recorded: {reason(error)}"
            raise Stopped(msg) from error
        self._expect_to_go_on(step)

    def _expect_to_go_on(self, step: Step) -> None:
        if self._cancelled and step is not Step.UNDO:
            msg = f"{step}: cancelled before it began"
            raise Stopped(msg)

    async def _perform(
        self, step: Step, method: Callable[..., Any], how: options.ActivityOptions
    ) -> RegistryEffect:
        gate = Gate.UNDONE if step is Step.UNDO else Gate.EFFECTED
        try:
            effect: RegistryEffect = await self._execute(step, method, how)
        except ActivityError as error:
            self._chain.note(
                gate, ACTOR, {"step": step.value, "applied": False, "failure": _why(error)}
            )
            msg = f"{step}: {_why(error)}"
            raise Stopped(msg) from error
        self._chain.note(gate, ACTOR, effect.model_dump(mode="json"))
        self._effects.append(effect)
        return effect

    async def _verify(self) -> None:
        try:
            verification: Verification = await self._execute(
                Step.VERIFY, RemediationActivities.verify, options.ACT
            )
        except ActivityError as error:
            self._chain.note(Gate.VERIFIED, ACTOR, {"verified": False, "failure": _why(error)})
            msg = f"verify: {_why(error)}"
            raise Stopped(msg) from error
        self._verification = verification
        self._chain.note(Gate.VERIFIED, ACTOR, verification.model_dump(mode="json"))

    async def _undo(self) -> None:
        """Even when that cannot be recorded: what stays changed unverified does more harm."""
        if self._cancelled:
            self._faults.append("cancelled")
        try:
            await self._intend(Step.UNDO)
        except Stopped as stop:
            self._faults.append(str(stop))
        try:
            undone = await self._perform(Step.UNDO, RemediationActivities.undo, options.UNDO)
        except Stopped as stop:
            self._faults.append(f"{stop}; version {self._challenger} may still be champion")
            return
        self._undone = undone.applied
        if not undone.applied:
            self._faults.append(f"undo: {undone.detail}")

    async def _close(self) -> None:
        try:
            await self._record()
        except FailureError as error:
            self._faults.append(f"what was done could not be recorded: {reason(error)}")

    async def _record(self, *moments: Moment) -> None:
        """Write to the audit log; a cancellation meanwhile is remembered."""
        try:
            await self._chain.record(*moments)
        except asyncio.CancelledError:
            self._cancelled = True

    async def _execute(
        self, step: Step, method: Callable[..., Any], how: options.ActivityOptions
    ) -> Any:  # noqa: ANN401 - whatever the activity gives
        """Run one activity to its end; a cancellation is passed on to it, but for an undo."""
        order = self._order(step)
        running = asyncio.ensure_future(
            workflow.execute_activity_method(
                method,
                order,
                summary=f"{step} {order.spec.name} (champion was {order.champion_version})",
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                **how,
            )
        )
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self._cancelled = True
        if step is not Step.UNDO:
            running.cancel()
        return await running

    def _order(self, step: Step) -> ActionOrder:
        order = self._request.order
        return order.model_copy(
            update={
                "step": step.value,
                "key": compute_effect_key(order.event_id, order.plan_hash, step),
                "challenger_version": self._challenger,
                "verification_margin": self._request.verification_margin,
            }
        )

    def _outcome(self) -> Outcome:
        details = self._faults or [effect.detail for effect in self._effects[-1:]]
        if self._verification is not None:
            details = [self._verification.detail, *self._faults]
        return Outcome(
            effects=tuple(self._effects),
            verification=self._verification,
            undone=self._undone,
            failed=bool(self._faults),
            detail="; ".join(details),
            audit_sequence=self._chain.sequence,
            audit_tip=self._chain.tip,
        )


def _why(error: ActivityError) -> str:
    return "cancelled" if is_cancelled_exception(error) else reason(error)

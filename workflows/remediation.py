"""Carries out an authorised plan on one model: act, verify, and undo what did not help.

Its id, `remediation/<model>`, makes it the only one at work on that model. It always ends with an
outcome that says where the audit chain ends, also if it fails or is cancelled: the incident that
started it continues the chain from there.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.errors import CHAMPION_MOVED_TYPE
    from activities.evidence import EvidenceActivities
    from activities.remediation import RemediationActivities
    from policies.incident import build_intent_detail
    from trimtab.contracts import names
    from trimtab.contracts.audit import Gate
    from trimtab.contracts.evidence import RegistryFacts
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
    from trimtab.contracts.tags import build_verification_tag
    from workflows import options
    from workflows.chain import TRIMTAB, AuditChain, PendingEntry
    from workflows.failure import format_cause

_Result = TypeVar("_Result")


class PlanStoppedError(Exception):
    """The plan cannot be carried out any further; the message says why."""


@workflow.defn(name=names.REMEDIATION)
class RemediationWorkflow:
    """Retrains and promotes, or rolls back; then verifies, and undoes what is not verified."""

    @workflow.init
    def __init__(self, request: RemediationInput) -> None:
        self._request = request
        self._chain = AuditChain(
            request.order, sequence=request.audit_sequence, tip=request.audit_tip
        )
        self._challenger = request.order.challenger_version
        self._effects: list[RegistryEffect] = []
        self._verification: Verification | None = None
        self._champion_moved = False
        self._undone = False
        self._cancelled = False
        self._champion_was_replaced = False
        """Whether a step was refused because somebody else had replaced the champion."""
        self._faults: list[str] = []

    @workflow.run
    async def run(self, request: RemediationInput) -> Outcome:
        """Carry out the plan; whatever happens, no change stays that is not verified."""
        self._set_search_attributes(request.order)
        try:
            await self._change_champion(request.order.action)
            if self._champion_moved and not self._cancelled:
                await self._verify()
        except PlanStoppedError as stop:
            self._faults.append(str(stop))
        if self._champion_moved and not self._may_stay:
            await self._undo()
        await self._flush_chain()
        return self._build_outcome()

    @property
    def _may_stay(self) -> bool:
        """Whether the new champion may stay; once verified it stays, cancelled or not.

        Histories that are older than that undid it.
        """
        if self._verification is None or not self._verification.verified:
            return False
        return not self._cancelled or workflow.patched("verified-stays")

    def _set_search_attributes(self, order: ActionOrder) -> None:
        workflow.upsert_search_attributes(
            [
                options.MODEL_KEY.value_set(order.spec.name),
                options.ACTION_KEY.value_set(order.action.value),
                options.CORRELATION_ID_KEY.value_set(order.correlation_id),
            ]
        )

    async def _change_champion(self, action: Action) -> None:
        if action is Action.ROLL_BACK:
            await self._replace_champion(Step.ROLL_BACK, RemediationActivities.roll_back_champion)
            return
        self._challenger = None
        await self._record_intent(Step.RETRAIN)
        training: options.ActivityOptions = {
            **options.TRAIN,
            "heartbeat_timeout": self._request.heartbeat,
        }
        retrained = await self._apply(
            Step.RETRAIN, RemediationActivities.retrain_challenger, training
        )
        self._challenger = retrained.version
        await self._replace_champion(Step.PROMOTE, RemediationActivities.promote_challenger)

    async def _replace_champion(self, step: Step, method: Callable[..., Any]) -> None:
        """Make another version champion.

        An attempt that fails may have moved the champion before it failed. So it counts as moved
        from before the attempt, until an effect says otherwise.
        """
        await self._record_intent(step)
        self._champion_moved = True
        effect = await self._apply(step, method, options.ACT)
        self._champion_moved = effect.applied

    async def _record_intent(self, step: Step) -> None:
        """Write the intent to disk before the step; what cannot be recorded is not done."""
        self._check_not_cancelled(step)
        intent = build_intent_detail(self._build_order(step))
        try:
            await self._record(PendingEntry(Gate.INTENDED, TRIMTAB, intent))
        except FailureError as error:
            msg = f"{step}: the intent could not be recorded: {format_cause(error)}"
            raise PlanStoppedError(msg) from error
        # The write was awaited, and a cancellation may have arrived meanwhile.
        self._check_not_cancelled(step)

    def _check_not_cancelled(self, step: Step) -> None:
        if self._cancelled and step is not Step.UNDO:
            msg = f"{step}: cancelled before it began"
            raise PlanStoppedError(msg)

    async def _apply(
        self, step: Step, method: Callable[..., Any], how: options.ActivityOptions
    ) -> RegistryEffect:
        """Run the activity of a step and note its effect, or its failure, for the audit log."""
        gate = Gate.UNDONE if step is Step.UNDO else Gate.EFFECTED
        try:
            effect: RegistryEffect = await self._complete(
                self._start(step, method, how), to_its_end=step is Step.UNDO
            )
        except ActivityError as error:
            failure = _format_failure(error)
            if step is not Step.UNDO:
                self._champion_was_replaced |= _is_champion_replaced_by_other(error)
            detail: dict[str, JsonValue] = {
                "step": step.value,
                "applied": False,
                "failure": failure,
            }
            self._chain.note(PendingEntry(gate, TRIMTAB, detail))
            msg = f"{step}: {failure}"
            raise PlanStoppedError(msg) from error
        self._chain.note(PendingEntry(gate, TRIMTAB, effect.model_dump(mode="json")))
        self._effects.append(effect)
        return effect

    async def _verify(self) -> None:
        try:
            verification: Verification = await self._complete(
                self._start(Step.VERIFY, RemediationActivities.verify, options.ACT)
            )
        except ActivityError as error:
            failure = _format_failure(error)
            detail: dict[str, JsonValue] = {"verified": False, "failure": failure}
            self._chain.note(PendingEntry(Gate.VERIFIED, TRIMTAB, detail))
            msg = f"verify: {failure}"
            raise PlanStoppedError(msg) from error
        if verification.verified and workflow.patched("confirm-verification"):
            verification = await self._confirm(verification)
        self._verification = verification
        detail = verification.model_dump(mode="json")
        self._chain.note(PendingEntry(Gate.VERIFIED, TRIMTAB, detail))

    async def _confirm(self, verification: Verification) -> Verification:
        """Return the verification as the registry has it: anybody can answer a task.

        The worker that verifies marks the version. Here our own worker looks for the mark.
        """
        order = self._build_order(Step.VERIFY)
        reading = workflow.start_local_activity_method(
            EvidenceActivities.read_registry,
            order.spec.name,
            summary="Look for the mark of the verification",
            **options.CONFIRM,
        )
        try:
            facts: RegistryFacts = await self._complete(reading, to_its_end=True)
        except ActivityError as error:
            fault = f"the registry could not be read again: {format_cause(error)}"
        else:
            champion = facts.champion
            if champion is not None and build_verification_tag(order.key) in champion.tags:
                return verification
            fault = "the registry does not show that it was verified"
        detail = f"{verification.detail}; {fault}"
        return verification.model_copy(update={"verified": False, "detail": detail})

    async def _undo(self) -> None:
        """Restore the former champion, even if that cannot be recorded.

        An unverified change that stays does more harm than a missing line in the log.
        """
        if self._cancelled:
            self._faults.append("cancelled")
        try:
            await self._record_intent(Step.UNDO)
        except PlanStoppedError as stop:
            self._faults.append(str(stop))
        try:
            undone = await self._apply(Step.UNDO, RemediationActivities.undo, options.UNDO)
        except PlanStoppedError as stop:
            self._faults.append(f"{stop}; version {self._challenger} may still be champion")
            return
        self._undone = undone.applied
        if not undone.applied:
            self._faults.append(f"undo: {undone.detail}")

    async def _flush_chain(self) -> None:
        try:
            await self._record()
        except FailureError as error:
            self._faults.append(f"what was done could not be recorded: {format_cause(error)}")

    async def _record(self, *entries: PendingEntry) -> None:
        """Write to the audit log; a cancellation meanwhile is remembered, not raised.

        The chain has finished its write by then. From here on, `_check_not_cancelled` stops the
        plan between two steps, where nothing is half done.
        """
        try:
            await self._chain.record(*entries)
        except asyncio.CancelledError:
            self._cancelled = True

    def _start(
        self, step: Step, method: Callable[..., Any], how: options.ActivityOptions
    ) -> workflow.ActivityHandle[Any]:
        order = self._build_order(step)
        return workflow.start_activity_method(
            method,
            order,
            summary=f"{step} {order.spec.name} (champion was {order.champion_version})",
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            **how,
        )

    async def _complete(
        self, running: workflow.ActivityHandle[_Result], *, to_its_end: bool = False
    ) -> _Result:
        """Wait for an activity to end; a cancellation is passed on, unless it goes to its end.

        A cancellation reaches the shield and not the activity. The activity is then asked to cancel
        and awaited again, because it may still report an effect that it has already had: only with
        that report is it known whether there is something to undo.
        """
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self._cancelled = True
        if not to_its_end:
            running.cancel()
        return await running

    def _build_order(self, step: Step) -> ActionOrder:
        order = self._request.order
        return order.model_copy(
            update={
                "step": step.value,
                "key": compute_effect_key(order.event_id, order.plan_hash, step),
                "challenger_version": self._challenger,
                "verification_margin": self._request.verification_margin,
            }
        )

    def _build_outcome(self) -> Outcome:
        details = self._faults or [effect.detail for effect in self._effects[-1:]]
        if self._verification is not None:
            details = [self._verification.detail, *self._faults]
        return Outcome(
            effects=tuple(self._effects),
            verification=self._verification,
            undone=self._undone,
            failed=bool(self._faults),
            superseded=self._champion_was_replaced,
            detail="; ".join(details),
            audit_sequence=self._chain.sequence,
            audit_tip=self._chain.tip,
        )


def _is_champion_replaced_by_other(error: ActivityError) -> bool:
    cause = error.cause
    return isinstance(cause, ApplicationError) and cause.type == CHAMPION_MOVED_TYPE


def _format_failure(error: ActivityError) -> str:
    return "cancelled" if is_cancelled_exception(error) else format_cause(error)

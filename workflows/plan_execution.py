"""Gets a grant for an allowed plan, and has the remediation carry it out."""

from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.authorisation import AuthorisationActivities
    from activities.remediation import RemediationActivities
    from policies.incident import Investigation, build_action_order, build_intent_detail
    from trimtab.contracts import names
    from trimtab.contracts.audit import Gate
    from trimtab.contracts.authorisation import AuthorisationRequest
    from trimtab.contracts.decision import Decision
    from trimtab.contracts.deliberation import RemediationPlan
    from trimtab.contracts.incident import IncidentInput
    from trimtab.contracts.remediation import (
        Action,
        ActionOrder,
        Outcome,
        RegistryEffect,
        RemediationInput,
        Step,
        compute_effect_key,
    )
    from workflows import options
    from workflows.chain import TRIMTAB, AuditChain, PendingEntry
    from workflows.failure import format_cause
    from workflows.human_gate import HumanGate


async def request_grant(case: Investigation, decision: Decision, *, gate: HumanGate) -> str:
    """Return a signed grant; raise `ActivityError` if the mint refuses it.

    The mint answers local activities only: nobody can ask it from outside of this code. Histories
    that are older than that asked it by a task; it refuses them, if they are still under way.
    """
    if case.deliberation is None or case.measured is None or case.recalled is None:
        msg = "there is no plan of the agents to authorise"
        raise ApplicationError(msg, non_retryable=True)
    request = AuthorisationRequest(
        incident=case.incident,
        measured=case.measured,
        recalled=case.recalled,
        deliberation=case.deliberation,
        failure=case.failure,
        plan_hash=decision.plan_hash,
        answers=gate.answers,
    )
    summary = f"grant by {gate.format_authority(decision)}"
    if workflow.patched("authorise-locally"):
        return await workflow.execute_local_activity_method(
            AuthorisationActivities.authorise, request, summary=summary, **options.AUTHORISE
        )
    return await workflow.execute_activity_method(
        AuthorisationActivities.authorise, request, summary=summary, **options.DECIDE
    )


async def run_remediation(
    incident: IncidentInput,
    plan: RemediationPlan,
    decision: Decision,
    grant: str,
    *,
    chain: AuditChain,
) -> Outcome:
    """Return the outcome of the plan.

    Raises `WorkflowAlreadyStartedError` if the model is being remediated for another incident: the
    child's id holds the model's name, and Temporal lets one workflow of an id run at a time. If the
    parent ends first, the child is asked to cancel, and so to undo what it changed.
    """
    outcome: Outcome = await workflow.execute_child_workflow(
        names.REMEDIATION,
        RemediationInput(
            order=build_action_order(incident, plan, decision, grant),
            verification_margin=incident.limits.verification_margin,
            audit_sequence=chain.sequence,
            audit_tip=chain.tip,
        ),
        id=names.build_remediation_id(incident.event.subject),
        result_type=Outcome,
        task_queue=names.MAIN_QUEUE,
        parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
        static_summary=f"{plan.action} {incident.event.subject} because of {plan.cause}",
    )
    return outcome


async def settle_remediation(
    incident: IncidentInput,
    plan: RemediationPlan,
    decision: Decision,
    grant: str,
    *,
    chain: AuditChain,
) -> RegistryEffect:
    """Undo what a remediation has changed that ended without an outcome, for example terminated.

    The undoing refuses by itself if somebody else has moved the champion since, or if the change
    was verified. Its effect is noted for the audit log and returned.
    """
    order = build_action_order(incident, plan, decision, grant).model_copy(
        update={
            "step": Step.UNDO.value,
            "key": compute_effect_key(incident.event.id, decision.plan_hash, Step.UNDO),
            "verification_margin": incident.limits.verification_margin,
        }
    )
    await chain.record(PendingEntry(Gate.INTENDED, TRIMTAB, build_intent_detail(order)))
    try:
        undone = await workflow.execute_activity_method(
            RemediationActivities.undo,
            order,
            summary=f"undo {plan.action} {order.spec.name}: its remediation is gone",
            **options.UNDO,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        undone = RegistryEffect(
            step=order.step,
            key=order.key,
            model=order.spec.name,
            version=None,
            applied=False,
            detail=f"what it changed could not be undone: {format_cause(error)}",
        )
    if undone.applied and undone.previous_version not in (None, undone.version):
        chain.note(PendingEntry(Gate.EFFECTED, TRIMTAB, _describe_found_effect(order, undone)))
    chain.note(PendingEntry(Gate.UNDONE, TRIMTAB, undone.model_dump(mode="json")))
    return undone


def _describe_found_effect(order: ActionOrder, undone: RegistryEffect) -> dict[str, JsonValue]:
    """Return the detail of the effect that was undone: the remediation may not have told of it."""
    step = Step.PROMOTE if order.action is Action.RETRAIN else Step.ROLL_BACK
    return {
        "step": step.value,
        "key": compute_effect_key(order.event_id, order.plan_hash, step),
        "model": order.spec.name,
        "version": undone.previous_version,
        "previous_version": undone.version,
        "applied": True,
        "detail": "found in the registry; the remediation ended without reporting it",
    }

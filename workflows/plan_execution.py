"""Gets a grant for an allowed plan, and has the remediation carry it out."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.authorisation import AuthorisationActivities
    from policies.incident import Investigation, build_action_order
    from trimtab.contracts import names
    from trimtab.contracts.authorisation import AuthorisationRequest
    from trimtab.contracts.decision import Decision
    from trimtab.contracts.deliberation import RemediationPlan
    from trimtab.contracts.incident import IncidentInput
    from trimtab.contracts.remediation import Outcome, RemediationInput
    from workflows import options
    from workflows.chain import AuditChain
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

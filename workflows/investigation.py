"""Collects evidence about an incident, has analysts deliberate on it, and tries what they plan."""

import asyncio
from typing import Final

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.evidence import EvidenceActivities
    from policies.evidence import compose_evidence, select_versions_to_measure
    from policies.incident import CollectedEvidence
    from policies.knowledge_query import describe_finding
    from trimtab.contracts import names
    from trimtab.contracts.decision import Decision, PolicyQuestion, Verdict
    from trimtab.contracts.deliberation import RULE_ANALYST, Deliberation, DeliberationInput
    from trimtab.contracts.evidence import (
        ChallengerPreview,
        EvidencePack,
        Measurement,
        PreviewOrder,
        Recall,
    )
    from trimtab.contracts.incident import IncidentInput
    from trimtab.contracts.remediation import Action
    from workflows import options
    from workflows.failure import format_cause
    from workflows.policy_check import LOCAL_PATCH

PREVIEW_PATCH: Final = "preview-challenger"
"""Mark of incidents that try a retraining before they ask for it."""


async def collect_evidence(incident: IncidentInput) -> CollectedEvidence:
    """Return what was measured and what is known, before an agent gives an opinion.

    Raises `ActivityError` if one of the sources cannot be reached.
    """
    finding = incident.event.data
    # `start_activity_method` schedules at once and is awaited at the end: the slow search and the
    # slow measurement run side by side. The order of these commands is part of every history.
    recalling = workflow.start_activity_method(
        EvidenceActivities.recall_similar,
        Recall(query=describe_finding(finding), event_id=incident.event.id),
        summary="runbooks and past incidents like this one",
        **options.READ,
    )
    registry = await workflow.execute_activity_method(
        EvidenceActivities.read_registry,
        finding.model,
        summary=f"champion and versions of {finding.model}",
        **options.READ,
    )
    measuring = workflow.start_activity_method(
        EvidenceActivities.measure_versions,
        Measurement(
            spec=incident.spec,
            versions=select_versions_to_measure(registry, before=finding.current.start),
            # Now, and not the event's window: what the event says about its window is a claim.
            as_of=incident.as_of or workflow.now(),
            event_id=incident.event.id,
        ),
        summary="metrics on the newest labelled rows",
        **options.MEASURE,
    )
    measured, recalled = await asyncio.gather(measuring, recalling)
    pack = compose_evidence(
        finding, registry, measured.metrics, recalled.documents, now=workflow.now()
    )
    return CollectedEvidence(pack=pack, measured=measured, recalled=recalled)


async def preview_challenger(
    incident: IncidentInput, question: PolicyQuestion, decision: Decision
) -> ChallengerPreview | None:
    """Return what the retraining that is planned would give; None if it could not be tried.

    Nothing is tried where nobody is to be asked. An incident never ends because of it.
    """
    if question.plan.action is not Action.RETRAIN or decision.verdict is not Verdict.ESCALATE:
        return None
    # Incidents that decided before this change go on without it when they are replayed.
    if not workflow.patched(PREVIEW_PATCH):
        return None
    try:
        preview: ChallengerPreview = await workflow.execute_activity_method(
            EvidenceActivities.preview_challenger,
            PreviewOrder(
                spec=incident.spec,
                as_of=incident.as_of or workflow.now(),
                event_id=incident.event.id,
                corrupt_too=True,  # a person may have a corrupt window learnt from
            ),
            summary=f"what retraining {incident.event.subject} would give",
            **options.PREVIEW,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning("the retraining could not be tried: %s", format_cause(error))
        return None
    return preview


async def ask_analysts(
    incident: IncidentInput, pack: EvidencePack
) -> tuple[Deliberation | None, str]:
    """Return the conclusions of the configured analyst or of the fallback, and what failed.

    The conclusions are None if both failed; the failure is empty if the configured analyst did not.
    """
    failures: list[str] = []
    for analyst in dict.fromkeys([incident.analyst, RULE_ANALYST]):
        try:
            return await _run_deliberation(incident, pack, analyst=analyst), "; ".join(failures)
        except (ChildWorkflowError, WorkflowAlreadyStartedError) as error:
            # A cancelled child fails with the same type as a broken one: without this check, a
            # cancelled incident would go on with the fallback.
            if is_cancelled_exception(error):
                raise
            failures.append(f"{analyst}: {format_cause(error)}")
    return None, "; ".join(failures)


async def _run_deliberation(
    incident: IncidentInput, pack: EvidencePack, *, analyst: str
) -> Deliberation:
    """Return the agents' conclusions; raise `ChildWorkflowError` if there are none in time.

    The child is started by its registered name, so that this workflow never imports ADK.
    """
    result: Deliberation = await workflow.execute_child_workflow(
        names.DELIBERATION,
        DeliberationInput(
            event=incident.event,
            spec=incident.spec,
            pack=pack,
            analyst=analyst,
            call_timeout=incident.call_timeout,
            rules_answer_locally=True,
        ),
        id=_build_deliberation_id(incident),
        result_type=Deliberation,
        task_queue=names.MAIN_QUEUE,
        execution_timeout=incident.deliberation_timeout,
        static_summary=f"{analyst} deliberates on {incident.event.subject}",
    )
    return result


def _build_deliberation_id(incident: IncidentInput) -> str:
    if workflow.patched(LOCAL_PATCH):
        return names.build_deliberation_id(incident.event.subject, incident.event.id)
    return names.build_former_deliberation_id(incident.event.id)

"""Collects evidence about an incident and has the agents deliberate on it."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import (
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.evidence import EvidenceActivities
    from policies.evidence import compose, describe, versions_to_measure
    from trimtab.contracts import names
    from trimtab.contracts.deliberation import Deliberation, DeliberationInput
    from trimtab.contracts.evidence import EvidencePack, Measurement, Recall
    from trimtab.contracts.incident import IncidentInput
    from workflows import options
    from workflows.failure import reason

FALLBACK_ANALYST = "analyst/rules"


async def collect_evidence(incident: IncidentInput) -> EvidencePack:
    """What was measured and what is known, before anybody gives an opinion.

    Raises `ActivityError` when one of the sources stays out of reach.
    """
    finding = incident.event.data
    recalling = workflow.start_activity_method(
        EvidenceActivities.recall_similar,
        Recall(query=describe(finding)),
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
            versions=versions_to_measure(registry),
            as_of=finding.current.end,
        ),
        summary="metrics on the newest labelled rows",
        **options.MEASURE,
    )
    metrics, documents = await asyncio.gather(measuring, recalling)
    return compose(finding, registry, metrics, documents, now=workflow.now())


async def deliberate(
    incident: IncidentInput, pack: EvidencePack
) -> tuple[Deliberation | None, str]:
    """What the agents conclude, or else the rules; and why those failed that did."""
    failures: list[str] = []
    for analyst in dict.fromkeys([incident.analyst, FALLBACK_ANALYST]):
        try:
            return await _ask_agents(incident, pack, analyst=analyst), "; ".join(failures)
        except (ChildWorkflowError, WorkflowAlreadyStartedError) as error:
            if is_cancelled_exception(error):
                raise
            failures.append(f"{analyst}: {reason(error)}")
    return None, "; ".join(failures)


async def _ask_agents(incident: IncidentInput, pack: EvidencePack, *, analyst: str) -> Deliberation:
    """The agents' conclusions; raises `ChildWorkflowError` when they come to none in time."""
    result: Deliberation = await workflow.execute_child_workflow(
        names.DELIBERATION,
        DeliberationInput(
            event=incident.event,
            spec=incident.spec,
            pack=pack,
            analyst=analyst,
            call_timeout=incident.call_timeout,
        ),
        id=names.build_deliberation_id(incident.event.id),
        result_type=Deliberation,
        task_queue=names.MAIN_QUEUE,
        execution_timeout=incident.deliberation_timeout,
        static_summary=f"{analyst} deliberates on {incident.event.subject}",
    )
    return result

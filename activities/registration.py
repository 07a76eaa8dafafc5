"""Lists the activities that the workers of each task queue run."""

from collections.abc import Callable
from typing import Any

from activities.approval import ApprovalActivities
from activities.audit import AuditActivities
from activities.authorisation import AuthorisationActivities
from activities.decision import check_policy
from activities.evidence import EvidenceActivities
from activities.incident import IncidentActivities
from activities.inspection import InspectionActivities
from activities.monitoring import MonitoringActivities
from activities.remediation import RemediationActivities
from trimtab.contracts.ports import (
    AuditLog,
    GrantGuard,
    KnowledgeBase,
    ModelRegistry,
    Notifier,
    PipelineRunner,
)

Activity = Callable[..., Any]
"""A function or bound method decorated with `activity.defn`."""


def list_main_activities(
    *,
    registry: ModelRegistry,
    pipelines: PipelineRunner,
    knowledge: KnowledgeBase,
    notifier: Notifier,
    log: AuditLog,
    authorisation: AuthorisationActivities,
) -> list[Activity]:
    """Return the activities of the queue `trimtab`."""
    evidence = EvidenceActivities(registry=registry, pipelines=pipelines, knowledge=knowledge)
    audit = AuditActivities(log=log)
    incidents = IncidentActivities(registry=registry, knowledge=knowledge)
    approval = ApprovalActivities(notifier=notifier)
    return [
        evidence.read_registry,
        evidence.measure_versions,
        evidence.recall_similar,
        check_policy,
        authorisation.authorise,
        approval.notify_person,
        approval.send_notice,
        approval.mark_page,
        audit.record,
        audit.find_tip,
        incidents.remember_incident,
        MonitoringActivities(pipelines=pipelines).judge_window,
    ]


def list_agent_activities(*, pipelines: PipelineRunner, knowledge: KnowledgeBase) -> list[Activity]:
    """Return the activities of the queue `trimtab-agents`.

    The plugin for ADK adds the activity that calls a language model.
    """
    inspection = InspectionActivities(pipelines=pipelines, knowledge=knowledge)
    return [inspection.inspect_feature, inspection.inspect_segment, inspection.read_document]


def list_action_activities(
    *, registry: ModelRegistry, pipelines: PipelineRunner, guard: GrantGuard
) -> list[Activity]:
    """Return the activities of the queue `trimtab-actions`, the only ones that change a model."""
    remediation = RemediationActivities(registry=registry, pipelines=pipelines, guard=guard)
    return [
        remediation.retrain_challenger,
        remediation.promote_challenger,
        remediation.roll_back_champion,
        remediation.verify,
        remediation.undo,
    ]

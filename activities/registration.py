"""Lists the activities that the workers of each task queue run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from activities.approval import ApprovalActivities
from activities.audit import AuditActivities
from activities.authorisation import AuthorisationActivities
from activities.decision import check_policy
from activities.evidence import EvidenceActivities
from activities.incident import IncidentActivities
from activities.inspection import InspectionActivities
from activities.monitoring import MonitoringActivities
from activities.reconciliation import ReconciliationActivities
from activities.remediation import RemediationActivities
from activities.sweep import SweepActivities
from activities.usage import UsageActivities
from trimtab.contracts.ports import (
    AuditLog,
    EvidenceSeal,
    GrantGuard,
    KnowledgeBase,
    Ledger,
    ModelRegistry,
    Notifier,
    PipelineRunner,
)

Activity = Callable[..., Any]
"""A function or bound method decorated with `activity.defn`."""


@dataclass(frozen=True, kw_only=True)
class MainPorts:
    """The ports of the activities of the queue `trimtab`."""

    registry: ModelRegistry
    pipelines: PipelineRunner
    knowledge: KnowledgeBase
    notifier: Notifier
    log: AuditLog
    seal: EvidenceSeal
    ledger: Ledger


def list_main_activities(
    ports: MainPorts,
    *,
    authorisation: AuthorisationActivities,
    sweep: SweepActivities,
    reconciliation: ReconciliationActivities,
) -> list[Activity]:
    """Return the activities of the queue `trimtab`."""
    evidence = EvidenceActivities(
        registry=ports.registry,
        pipelines=ports.pipelines,
        knowledge=ports.knowledge,
        seal=ports.seal,
    )
    audit = AuditActivities(log=ports.log)
    incidents = IncidentActivities(
        registry=ports.registry, knowledge=ports.knowledge, log=ports.log
    )
    approval = ApprovalActivities(notifier=ports.notifier)
    return [
        evidence.read_registry,
        evidence.measure_versions,
        evidence.recall_similar,
        evidence.preview_challenger,
        UsageActivities(registry=ports.registry, ledger=ports.ledger).read_usage,
        check_policy,
        authorisation.authorise,
        approval.notify_person,
        approval.send_notice,
        approval.find_targets,
        approval.mark_page,
        audit.record,
        audit.find_tip,
        incidents.remember_incident,
        MonitoringActivities(pipelines=ports.pipelines).judge_window,
        sweep.sweep_incidents,
        reconciliation.reconcile_log,
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

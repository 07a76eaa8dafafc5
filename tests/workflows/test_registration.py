"""Workflows, their handlers and the activities have the names that histories hold."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity, workflow

from activities.authorisation import AuthorisationActivities
from activities.derivation import MintSources
from activities.reconciliation import ReconciliationActivities
from activities.registration import (
    Activity,
    MainPorts,
    list_action_activities,
    list_agent_activities,
    list_main_activities,
)
from activities.sweep import SweepActivities
from tests.fakes import (
    FakeArchive,
    FakeKnowledge,
    FakeLedger,
    FakeNotifier,
    FakePipelines,
    FakePublishers,
    FakeRegistry,
)
from trimtab.adapters.evidence_seal import HmacEvidenceSeal
from trimtab.contracts import names
from trimtab.contracts.audit import AuditAppend, AuditLine, ChainEnd
from trimtab.contracts.reconciliation import ComparedLog, IncidentWorkflow
from trimtab.contracts.remediation import GrantClaims, RemediationInput
from workflows.deliberation import DeliberationWorkflow
from workflows.drift_response import DriftResponseWorkflow
from workflows.registration import list_workflows

REGISTRY, KNOWLEDGE = FakeRegistry(), FakeKnowledge()
SEAL = HmacEvidenceSeal(audit_key=b"k" * 32)
PIPELINES = FakePipelines(REGISTRY, {})


class Unused:
    """Stands in for what holds keys and files; nothing is called here."""

    def mint(self, claims: GrantClaims) -> str:
        raise NotImplementedError

    def check(self, token: str, *, expired_too: bool = False) -> GrantClaims:
        raise NotImplementedError

    def append(self, request: AuditAppend) -> ChainEnd:
        raise NotImplementedError

    def lines(self, incident: str, *, model: str | None = None) -> list[AuditLine]:
        raise NotImplementedError

    def list_chains_to_settle(self) -> list[list[AuditLine]]:
        raise NotImplementedError

    def update_heads(self, *, at: datetime) -> ChainEnd:
        raise NotImplementedError

    async def is_running(self, *workflow_ids: str) -> bool:
        raise NotImplementedError

    async def list_workflows(self) -> Sequence[IncidentWorkflow]:
        raise NotImplementedError

    def compare(
        self, workflows: Sequence[IncidentWorkflow] | None, *, now: datetime
    ) -> ComparedLog:
        raise NotImplementedError

    async def find_remediation(self, workflow_id: str) -> RemediationInput | None:
        raise NotImplementedError


def definition(kind: type) -> Any:
    return workflow._Definition.must_from_class(kind)


def names_of(activities: list[Activity]) -> set[str | None]:
    return {activity._Definition.must_from_callable(each).name for each in activities}


def test_the_workflows_have_their_public_names() -> None:
    found = [definition(kind).name for kind in list_workflows(deliberation=DeliberationWorkflow)]

    assert found == [
        names.DRIFT_RESPONSE,
        names.DELIBERATION,
        names.REMEDIATION,
        names.MONITORING,
        names.SWEEP,
        names.RECONCILIATION,
    ]


def test_an_incident_has_its_public_signal_update_and_query() -> None:
    incident = definition(DriftResponseWorkflow)

    assert set(incident.signals) == {"human_decision"}
    assert set(incident.updates) == {"human_decision_update"}
    assert set(incident.queries) == {"incident"}


def test_the_main_queue_runs_what_reads_decides_asks_and_records() -> None:
    sources = MintSources(
        registry=REGISTRY,
        log=Unused(),
        seal=SEAL,
        configuration=FakeArchive(),
        ledger=FakeLedger(),
        publishers=FakePublishers(),
    )
    authorisation = AuthorisationActivities(sources, mint=Unused(), lifetime=timedelta(hours=1))
    ports = MainPorts(
        registry=REGISTRY,
        pipelines=PIPELINES,
        knowledge=KNOWLEDGE,
        notifier=FakeNotifier(),
        log=Unused(),
        seal=SEAL,
        ledger=FakeLedger(),
    )

    sweep = SweepActivities(
        log=Unused(), incidents=Unused(), registry=REGISTRY, notifier=FakeNotifier()
    )
    activities = list_main_activities(
        ports,
        authorisation=authorisation,
        sweep=sweep,
        reconciliation=ReconciliationActivities(log=Unused(), incidents=Unused()),
    )

    assert names_of(activities) == {
        "authorise",
        "check_policy",
        "find_targets",
        "find_tip",
        "judge_window",
        "mark_page",
        "measure_versions",
        "notify_person",
        "preview_challenger",
        "read_registry",
        "read_usage",
        "recall_similar",
        "reconcile_log",
        "record",
        "remember_incident",
        "sweep_incidents",
        "send_notice",
    }


def test_the_agents_queue_runs_read_only_tools() -> None:
    activities = list_agent_activities(pipelines=PIPELINES, knowledge=KNOWLEDGE)

    assert names_of(activities) == {"inspect_feature", "inspect_segment", "read_document"}


def test_the_actions_queue_alone_runs_what_changes_a_model() -> None:
    activities = list_action_activities(registry=REGISTRY, pipelines=PIPELINES, guard=Unused())

    assert names_of(activities) == {
        "promote_challenger",
        "retrain_challenger",
        "roll_back_champion",
        "undo",
        "verify",
    }

"""A grant is minted for what can be derived here and now, and for nothing that is only claimed."""

import dataclasses
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.authorisation import AuthorisationActivities
from activities.derivation import MintSources
from activities.evidence import EvidenceActivities
from policies.approval_signature import format_public_key, sign_decision
from policies.confidence import compute_confidence
from policies.decision import decide
from policies.evidence import compose_evidence
from policies.incident import (
    Investigation,
    build_deliberation_detail,
    build_evidence_detail,
    build_opening_detail,
    collect_facts,
)
from policies.knowledge_query import describe_finding
from tests.builders import (
    NOW,
    a_deliberation,
    a_plan,
    a_root_cause,
    a_spec,
    an_event,
    an_incident,
)
from tests.fakes import (
    FakeArchive,
    FakeKnowledge,
    FakeLedger,
    FakePipelines,
    FakePublishers,
    FakeRegistry,
)
from tests.workflows.world import a_case
from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.evidence_seal import HmacEvidenceSeal
from trimtab.contracts.approval import Answer, Choice, HumanDecision
from trimtab.contracts.approvers import Approver
from trimtab.contracts.audit import GENESIS, AuditAppend, AuditEntry, Gate
from trimtab.contracts.authorisation import AuthorisationRequest
from trimtab.contracts.base import compute_digest
from trimtab.contracts.budget import Budget, Budgets, LedgerFacts, ModelUsage, Spending
from trimtab.contracts.decision import Decision, Limits, PolicyQuestion, Verdict
from trimtab.contracts.deliberation import RemediationPlan
from trimtab.contracts.evidence import (
    Citation,
    EvidencePack,
    MeasuredVersions,
    Recall,
    RecalledDocuments,
    RegistryFacts,
)
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.model import Tier, VersionMetric
from trimtab.contracts.remediation import Action, GrantClaims, Step

KEY = b"k" * 32
ADA, BOB = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
CAREFUL = Limits(confidence_above=0.99)
CITATIONS = (
    Citation(evidence_id="drift:Occupancy", quote="PSI 0.310"),
    Citation(evidence_id="performance:champion", quote="is 0.780"),
)


class Mint:
    """Gives the claims away as they are."""

    def mint(self, claims: GrantClaims) -> str:
        return claims.model_dump_json()


class World:
    """An incident up to its decision, as the workflow leaves it, and the mint."""

    def __init__(
        self,
        folder: Path,
        *,
        limits: Limits | None = None,
        plan: RemediationPlan | None = None,
        configured: bool = True,
        **incident: Any,
    ) -> None:
        self.registry = FakeRegistry()
        self.archive = FakeArchive()
        self.publishers = FakePublishers()
        self.ledger = FakeLedger()
        self.seal = HmacEvidenceSeal(audit_key=KEY)
        self.log = JsonlAuditLog(folder / "audit", key=KEY)
        self.incident = an_incident(limits=limits or Limits(), **({"as_of": None} | incident))
        if configured:
            self.archive.put_in_force(self.incident.limits, self.incident.spec)
        plan = plan or a_plan(citations=CITATIONS)
        root_cause = a_root_cause(cause=plan.cause, citations=CITATIONS)
        self.deliberation = a_deliberation(plan=plan, root_cause=root_cause)
        self.measured = self.sealed_versions()
        self.recalled = self.sealed_documents()
        self.clock = NOW
        self.replay = False
        self.local_user = ""
        self.local = True
        self.caller = ("DriftResponseWorkflow", "drift-response/parking/event-1")

    def sealed_versions(self, **changes: Any) -> MeasuredVersions:
        metric = VersionMetric(version="1", metric="r2", value=0.78, rows=600)
        fields: dict[str, Any] = {
            "event_id": "event-1",
            "model": "parking",
            "as_of": NOW,
            "metrics": (metric,),
        }
        measured = MeasuredVersions(**(fields | changes))
        return measured.model_copy(update={"seal": self.seal.sign(measured)})

    def sealed_documents(self, **changes: Any) -> RecalledDocuments:
        documents = tuple(a_case(number) for number in (1, 2, 3))
        query = describe_finding(self.incident.event.data)
        fields: dict[str, Any] = {
            "event_id": "event-1",
            "query": query,
            "documents": documents,
        }
        recalled = RecalledDocuments(**(fields | changes))
        return recalled.model_copy(update={"seal": self.seal.sign(recalled)})

    @property
    def case(self) -> Investigation:
        facts = RegistryFacts(
            champion=self.registry.champion("parking"),
            versions=self.registry.versions("parking"),
            last_action_at=None,
        )
        pack: EvidencePack = compose_evidence(
            self.incident.event.data,
            facts,
            self.measured.metrics,
            self.recalled.documents,
            now=NOW,
        )
        return Investigation(
            incident=self.incident,
            pack=pack,
            deliberation=self.deliberation,
            confidence=compute_confidence(self.deliberation, pack, self.incident),
        )

    def decide(self) -> Decision:
        case = self.case
        return decide(
            PolicyQuestion(
                plan=case.plan,
                facts=collect_facts(case, ModelUsage(ledger=LedgerFacts()), now=NOW),
                limits=self.incident.limits,
                now=NOW,
            )
        )

    def record(self, *, at: datetime = NOW, asked: bool = True, **verdict: JsonValue) -> Decision:
        """Write what the workflow writes before it asks for a grant."""
        decision, case = self.decide(), self.case
        decided = decision.model_dump(mode="json") | verdict
        details: list[tuple[Gate, dict[str, JsonValue]]] = [
            (Gate.OPENED, build_opening_detail(self.incident)),
            (Gate.EVIDENCE, build_evidence_detail(case)),
            (Gate.DELIBERATED, build_deliberation_detail(case)),
            (Gate.DECIDED, decided),
        ]
        if asked and decided["verdict"] == Verdict.ESCALATE:
            details.append((Gate.ASKED, {"plan_hash": decision.plan_hash}))
        entries = tuple(
            AuditEntry(
                incident="event-1",
                model="parking",
                correlation_id="event-1",
                sequence=number,
                gate=gate,
                at=at,
                actor="trimtab",
                detail=detail,
            )
            for number, (gate, detail) in enumerate(details)
        )
        self.log.append(AuditAppend(entries=entries, tip=GENESIS))
        return decision

    def request(self, **changes: Any) -> AuthorisationRequest:
        fields: dict[str, Any] = {
            "incident": self.incident,
            "measured": self.measured,
            "recalled": self.recalled,
            "deliberation": self.deliberation,
            "plan_hash": compute_digest(self.deliberation.plan),
        }
        return AuthorisationRequest(**(fields | changes))

    def authorise(self, request: AuthorisationRequest | None = None) -> GrantClaims:
        sources = MintSources(
            registry=self.registry,
            log=self.log,
            seal=self.seal,
            configuration=self.archive,
            ledger=self.ledger,
            publishers=self.publishers,
        )
        activities = AuthorisationActivities(
            sources,
            mint=Mint(),
            lifetime=timedelta(hours=2),
            replay=self.replay,
            local_user=self.local_user,
            clock=lambda: self.clock,
        )
        environment = ActivityEnvironment()
        kind, workflow_id = self.caller
        environment.info = dataclasses.replace(
            environment.info,
            is_local=self.local,
            workflow_type=kind,
            workflow_id=workflow_id,
            activity_type="authorise",
        )
        granted = environment.run(activities.authorise, request or self.request())
        return GrantClaims.model_validate_json(granted)

    def refusal(self, request: AuthorisationRequest | None = None) -> str:
        with pytest.raises(ApplicationError) as caught:
            self.authorise(request)
        assert caught.value.non_retryable
        return str(caught.value)


def an_answer(plan: RemediationPlan, **changes: Any) -> Answer:
    said = HumanDecision(
        plan_hash=compute_digest(plan), approver="ada", decision=changes.pop("says", Choice.APPROVE)
    )
    fields: dict[str, Any] = {"decision": said, "received_at": NOW, "accepted": True}
    return Answer(**(fields | changes))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_the_policy_executes_is_granted_by_its_rule(world: World) -> None:
    decision = world.record()

    claims = world.authorise()

    assert claims == GrantClaims(
        event_id="event-1",
        model="parking",
        action=Action.RETRAIN,
        plan_hash=decision.plan_hash,
        policy_hash=compute_digest(Limits()),
        champion_version="1",
        steps=(Step.RETRAIN, Step.PROMOTE),
        spec_hash=compute_digest(a_spec()),
        as_of=NOW,
        authority="policy:all_rules",
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=2),
    )


def test_what_a_person_approved_is_granted_in_the_person_s_name(tmp_path: Path) -> None:
    world = World(tmp_path, limits=CAREFUL)
    world.record()

    refusal = world.refusal()
    claims = world.authorise(world.request(answers=(an_answer(world.deliberation.plan),)))

    assert "needs 1 approval(s), and approved it: nobody" in refusal
    assert claims.authority == "person:ada"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"decision": None}, "approved it: nobody"),
        ({"accepted": False, "note": "late"}, "approved it: nobody"),
        ({"says": Choice.REJECT}, "ada rejected"),
    ],
)
def test_other_answers_grant_nothing(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    world = World(tmp_path, limits=CAREFUL)
    world.record()

    answer = an_answer(world.deliberation.plan, **changes)

    assert said in world.refusal(world.request(answers=(answer,)))


def test_an_approval_of_another_plan_grants_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, limits=CAREFUL)
    world.record()

    answer = an_answer(a_plan(champion_version="9"))

    assert "other plan" in world.refusal(world.request(answers=(answer,)))


def test_an_answer_to_a_question_that_was_never_put_grants_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, limits=CAREFUL)
    world.record(asked=False)

    answer = an_answer(world.deliberation.plan)

    assert "nobody was asked" in world.refusal(world.request(answers=(answer,)))


def test_the_mint_s_own_list_of_people_counts_and_not_the_workflow_s(tmp_path: Path) -> None:
    world = World(tmp_path, limits=CAREFUL, local_user="ada")
    world.local_user = "bob"
    world.record()

    answer = an_answer(world.deliberation.plan)

    assert "'ada' is not among the approvers: bob" in world.refusal(
        world.request(answers=(answer,))
    )


def test_the_mint_wants_the_signatures_of_as_many_people_as_its_policy_says(
    tmp_path: Path,
) -> None:
    keys = {"ada": ADA, "bob": BOB}
    limits = CAREFUL.model_copy(
        update={
            "approvers": {
                name: Approver(keys=(format_public_key(key),)) for name, key in keys.items()
            },
            "approvals_needed": {Tier.STANDARD: 2},
            "require_signature": True,
        }
    )
    world = World(tmp_path, limits=limits)
    world.record()
    plan = world.deliberation.plan
    signed = {
        name: an_answer(
            plan,
            decision=sign_decision(
                HumanDecision(
                    plan_hash=compute_digest(plan), approver=name, decision=Choice.APPROVE
                ),
                incident="event-1",
                model="parking",
                key=key,
                signed_at=NOW,
            ),
        )
        for name, key in keys.items()
    }

    assert "unsigned" in world.refusal(world.request(answers=(an_answer(plan),)))
    assert "needs 2" in world.refusal(world.request(answers=(signed["ada"], signed["ada"])))
    claims = world.authorise(world.request(answers=tuple(signed.values())))
    assert claims.authority == "person:ada,bob"


@pytest.mark.parametrize(
    ("local", "caller"),
    [
        (False, ("DriftResponseWorkflow", "drift-response/parking/event-1")),
        (True, ("MyWorkflow", "drift-response/parking/event-1")),
        (True, ("DriftResponseWorkflow", "drift-response/parking/event-2")),
        (True, ("RemediationWorkflow", "remediation/parking")),
    ],
)
def test_only_the_incident_s_own_workflow_code_is_answered(
    world: World, *, local: bool, caller: tuple[str, str]
) -> None:
    world.record()
    world.local, world.caller = local, caller

    refusal = world.refusal()

    wanted = "was called by" if local else "was called through the server"
    assert wanted in refusal


def test_a_policy_that_is_not_ours_grants_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, limits=Limits(verification_margin=1e9), configured=False)
    world.archive.put_in_force(Limits(), a_spec())
    world.record()

    assert "never in force" in world.refusal()


def test_a_specification_that_is_not_ours_grants_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, spec=a_spec(tier=Tier.EXPERIMENTAL), configured=False)
    world.archive.put_in_force(Limits(), a_spec(tier=Tier.CRITICAL))
    world.record()

    assert "never in force" in world.refusal()


def test_an_incident_without_an_audit_chain_is_granted_nothing(world: World) -> None:
    assert "the audit chain holds None" in world.refusal()


def test_another_deliberation_than_the_recorded_one_grants_nothing(world: World) -> None:
    world.record()
    other = a_deliberation(plan=a_plan(citations=CITATIONS, self_reported=0.99))

    refusal = world.refusal(world.request(deliberation=other, plan_hash=compute_digest(other.plan)))

    assert "deliberation_hash" in refusal


def test_figures_without_our_seal_grant_nothing(world: World) -> None:
    world.record()
    invented = MeasuredVersions(
        event_id="event-1",
        model="parking",
        as_of=NOW,
        metrics=(VersionMetric(version="1", metric="r2", value=0.1, rows=600),),
        seal=world.measured.seal,
    )
    unsealed = world.recalled.model_copy(update={"seal": ""})

    assert "no seal" in world.refusal(world.request(measured=invented))
    assert "no seal" in world.refusal(world.request(recalled=unsealed))


def test_documents_that_somebody_else_searched_for_grant_nothing(world: World) -> None:
    """Anybody with access to Temporal can call `recall_similar`, in words that suit a plan."""
    world.record()
    chosen = world.sealed_documents(query="retraining helped")

    assert "not recalled for the finding" in world.refusal(world.request(recalled=chosen))


def test_only_the_usual_number_of_documents_is_sealed(world: World) -> None:
    activities = EvidenceActivities(
        registry=world.registry,
        pipelines=FakePipelines(world.registry, {}),
        knowledge=FakeKnowledge(a_case()),
        seal=world.seal,
    )
    usual = activities.recall_similar(Recall(query="drift", event_id="event-1"))
    fewer = activities.recall_similar(Recall(query="drift", event_id="event-1", limit=1))

    assert world.seal.check(usual)
    assert not world.seal.check(fewer)


def test_figures_of_another_incident_or_time_grant_nothing(world: World) -> None:
    world.record()
    other = world.sealed_versions(event_id="event-2")
    old = world.sealed_versions(as_of=NOW - timedelta(days=60))
    of_another_model = world.sealed_versions(model="weather")

    assert "no seal" in world.refusal(world.request(measured=other))
    assert "were measured as of" in world.refusal(world.request(measured=old))
    assert "were measured as of" in world.refusal(world.request(measured=of_another_model))


def test_a_champion_that_changed_since_the_decision_stops_the_plan(world: World) -> None:
    world.record()
    world.registry.known.append("2")
    world.registry.champion_version = "2"

    assert "the champion is 2" in world.refusal()


def test_what_the_workflow_says_was_decided_counts_only_if_it_is_stricter(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, limits=CAREFUL)
    world.record(verdict=Verdict.EXECUTE.value)

    assert "here and now the policy answers escalate" in world.refusal()


def test_a_stricter_recorded_verdict_needs_its_person(world: World) -> None:
    world.record(verdict=Verdict.ESCALATE.value)

    assert "approved it: nobody" in world.refusal()


@pytest.mark.parametrize("same", [True, False])
def test_an_incident_acts_on_one_plan_by_policy(world: World, *, same: bool) -> None:
    """Row 7: a reset after the action, with an analyst that words its plan in another way."""
    decision = world.record()
    lines = world.log.lines("event-1", model="parking")
    acted: list[tuple[Gate, dict[str, JsonValue]]] = [
        (Gate.AUTHORISED, {"plan_hash": decision.plan_hash if same else "b" * 64}),
        (Gate.INTENDED, {"step": "retrain"}),
    ]
    entries = tuple(
        lines[-1].entry.model_copy(
            update={"sequence": len(lines) + number, "gate": gate, "detail": detail}
        )
        for number, (gate, detail) in enumerate(acted)
    )
    world.log.append(AuditAppend(entries=entries, tip=lines[-1].hash))

    if same:
        assert world.authorise().plan_hash == decision.plan_hash
    else:
        assert "has acted on plan bbbbbbbbbbbb already" in world.refusal()


def test_a_closed_incident_is_granted_nothing(world: World) -> None:
    world.record()
    lines = world.log.lines("event-1")
    closing = lines[-1].entry.model_copy(update={"sequence": 4, "gate": Gate.CLOSED, "detail": {}})
    world.log.append(AuditAppend(entries=(closing,), tip=lines[-1].hash))

    assert "is closed" in world.refusal()


def test_a_backtest_s_time_counts_only_in_a_backtest(tmp_path: Path) -> None:
    then = NOW
    world = World(tmp_path, as_of=then)
    world.measured = world.sealed_versions(as_of=then)
    world.record()

    assert "of a replay" in world.refusal()
    world.replay, world.clock = True, NOW + timedelta(days=365)
    assert world.authorise().as_of == then


def test_an_event_of_another_content_grants_nothing(world: World) -> None:
    world.record()
    other = an_incident(event=an_event(champion_version="7"), as_of=None)

    assert "event_hash" in world.refusal(world.request(incident=other))


def test_a_plan_for_another_event_grants_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, plan=a_plan(event_id="event-2", citations=CITATIONS))
    world.record()

    assert "not for 'event-1'" in world.refusal()


@pytest.mark.parametrize("changes", [{"cost": 0}, {"cost": 50}, {"currency": "IDR"}])
def test_a_plan_at_a_cost_of_its_own_grants_nothing(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    world = World(tmp_path, plan=a_plan(citations=CITATIONS, **changes))
    world.record()

    assert "by the model's configuration it costs 5 EUR" in world.refusal()


def test_there_is_nothing_to_authorise_about_monitoring(tmp_path: Path) -> None:
    world = World(tmp_path, plan=a_plan(action=Action.MONITOR, citations=CITATIONS))
    world.record()

    assert "nothing to authorise" in world.refusal()


def test_a_failed_analyst_stays_failed(world: World) -> None:
    world.record()

    assert "failure of deliberated" in world.refusal(world.request(failure="the model refused"))


def test_a_granted_action_is_reserved_before_its_effect(world: World) -> None:
    decision = world.record()

    world.authorise()

    (reserved,) = world.ledger.reserved
    assert (reserved.incident, reserved.plan_hash) == ("event-1", decision.plan_hash)
    assert reserved.expires_at == NOW + timedelta(hours=2)


def test_a_frozen_model_is_granted_nothing(world: World) -> None:
    world.record()
    world.registry.freezes[None] = Freeze(by="ada", at=NOW, reason="audit")

    assert "every model is frozen" in world.refusal()
    assert world.ledger.reserved == []


def test_a_budget_that_was_spent_meanwhile_grants_nothing(tmp_path: Path) -> None:
    budget = Budget(actions_per_day=1)
    world = World(tmp_path, limits=Limits(budgets=Budgets(each_model=budget)))
    world.record()
    world.ledger.facts = LedgerFacts(model_day=Spending(actions=1, cost=Decimal(5)))

    assert "here and now the policy answers escalate" in world.refusal()
    assert world.ledger.reserved == []


def test_an_event_that_no_publisher_of_ours_signed_executes_nothing(world: World) -> None:
    world.record()
    world.publishers.name = ""

    assert "no accepted publisher signed the event" in world.refusal()


def test_in_shadow_mode_not_even_an_approval_is_carried_out(tmp_path: Path) -> None:
    world = World(tmp_path, limits=Limits(shadow=True))
    world.record(verdict=Verdict.ESCALATE.value)

    refusal = world.refusal(world.request(answers=(an_answer(world.deliberation.plan),)))

    assert "shadow mode" in refusal

"""The incident from event to report: investigate, decide, ask, act, remember."""

import asyncio
from datetime import datetime

from pydantic import JsonValue, ValidationError
from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.authorisation import AuthorisationActivities
    from activities.decision import check_policy
    from activities.incident import IncidentActivities
    from policies import approval as asking
    from policies.confidence import assess
    from policies.incident import (
        champion_moved,
        deliberation_detail,
        ending_of,
        evidence_detail,
        facts_of,
        opening_detail,
        order_of,
        unplanned,
    )
    from trimtab.contracts import names
    from trimtab.contracts.approval import ApprovalRequest, DecisionReceipt, HumanDecision
    from trimtab.contracts.audit import Gate
    from trimtab.contracts.authorisation import AuthorisationRequest
    from trimtab.contracts.base import compute_digest
    from trimtab.contracts.decision import Confidence, Decision, PolicyQuestion, Verdict
    from trimtab.contracts.deliberation import Deliberation, RemediationPlan
    from trimtab.contracts.evidence import EvidencePack
    from trimtab.contracts.incident import (
        Ending,
        IncidentInput,
        IncidentReport,
        IncidentView,
        Stage,
    )
    from trimtab.contracts.remediation import Action, Outcome, RemediationInput
    from workflows import cancellation, options
    from workflows.chain import AuditChain
    from workflows.failure import BUGS, reason
    from workflows.human_gate import HumanGate
    from workflows.investigation import collect_evidence, deliberate


@workflow.defn(name=names.DRIFT_RESPONSE, failure_exception_types=BUGS)
class DriftResponseWorkflow:
    """One drift event's response; may wait days for a person."""

    @workflow.init
    def __init__(self, incident: IncidentInput) -> None:
        self._incident = incident
        self._event = incident.event
        self._chain = AuditChain(incident.event)
        self._gate = HumanGate()
        self._stage = Stage.OPENED
        self._pack: EvidencePack | None = None
        self._deliberation: Deliberation | None = None
        self._confidence: Confidence | None = None
        self._question: PolicyQuestion | None = None
        self._decision: Decision | None = None
        self._decided_at: datetime | None = None
        self._acted_at: datetime | None = None
        self._request: ApprovalRequest | None = None
        self._outcome: Outcome | None = None
        self._ending: Ending | None = None
        self._failure = ""

    @workflow.run
    async def run(self, incident: IncidentInput) -> IncidentReport:
        """From event to report, whatever happens on the way; also when it is cancelled."""
        try:
            ending = await self._respond(incident)
        except (asyncio.CancelledError, FailureError) as error:
            if not is_cancelled_exception(error):
                raise
            ending = self._cancelled()
        return await cancellation.finished(self._close(ending))

    async def _respond(self, incident: IncidentInput) -> Ending:
        await self._open(incident)
        await self._investigate()
        await self._deliberate()
        decision = await self._decide()
        if decision.verdict is Verdict.MONITOR:
            return Ending.MONITORED
        if decision.verdict is Verdict.ESCALATE and not await self._ask(decision):
            return Ending.REJECTED if self._gate.settling else Ending.EXPIRED
        if self._plan.action is Action.MONITOR:
            return Ending.ACKNOWLEDGED
        return await self._remediate(decision)

    @workflow.signal
    def human_decision(self, answer: JsonValue = None, *_more: JsonValue) -> None:
        """A person's answer: `contracts.approval.HumanDecision` as JSON; whatever came is kept."""
        try:
            decision = HumanDecision.model_validate(answer)
        except ValidationError as error:
            self._gate.receive_unreadable(str(error.errors()[0]["msg"]), now=workflow.now())
            return
        self._gate.receive(decision, now=workflow.now())

    @workflow.update
    def human_decision_update(self, decision: HumanDecision) -> DecisionReceipt:
        """The same answer, validated and acknowledged."""
        self._gate.receive(decision, now=workflow.now())
        return DecisionReceipt(accepted=True, note="the answer settles the question")

    @human_decision_update.validator
    def _validate_human_decision_update(self, decision: HumanDecision) -> None:
        refusal = self._gate.refusal(decision, now=workflow.now())
        if refusal:
            raise ValueError(refusal)

    @workflow.query
    def incident(self) -> IncidentView:
        """Where the incident stands."""
        return IncidentView(
            event_id=self._event.id,
            model=self._event.subject,
            correlation_id=self._event.correlationid,
            stage=self._stage,
            plan_hash=self._decision.plan_hash if self._decision else None,
            decision=self._decision,
            confidence=self._confidence,
            page=self._request.page if self._request else None,
            deadline=self._request.deadline if self._request else None,
            answers=self._gate.answers,
            ending=self._ending,
        )

    @property
    def _plan(self) -> RemediationPlan:
        if self._deliberation is None:
            return unplanned(self._event, self._pack)
        return self._deliberation.plan

    def _policy_now(self) -> datetime:
        return self._incident.as_of or workflow.now()

    def _enter(self, stage: Stage) -> None:
        self._stage = stage
        workflow.upsert_search_attributes([options.STAGE.value_set(stage.value)])

    async def _open(self, incident: IncidentInput) -> None:
        self._stage = Stage.INVESTIGATING
        await self._chain.record((Gate.OPENED, "trimtab", opening_detail(incident)))

    async def _investigate(self) -> None:
        try:
            self._pack = await collect_evidence(self._incident)
        except (ActivityError, ValueError) as error:
            if is_cancelled_exception(error):
                raise
            self._failure = f"evidence could not be collected: {reason(error)}"

    async def _deliberate(self) -> None:
        if self._pack is None:
            return
        self._enter(Stage.DELIBERATING)
        self._deliberation, self._failure = await deliberate(self._incident, self._pack)
        if self._deliberation is not None:
            self._confidence = assess(self._deliberation, self._pack)

    async def _decide(self) -> Decision:
        self._stage = Stage.DECIDING
        plan = self._plan
        facts = facts_of(
            self._incident, self._pack, self._deliberation, self._confidence, self._failure
        )
        self._question = PolicyQuestion(
            plan=plan, facts=facts, limits=self._incident.limits, now=self._policy_now()
        )
        decision = await workflow.execute_activity(
            check_policy,
            self._question,
            summary=f"may {plan.action} be executed?",
            **options.DECIDE,
        )
        self._decision = decision
        self._decided_at = workflow.now()
        workflow.upsert_search_attributes(
            [
                options.STAGE.value_set(Stage.DECIDING.value),
                options.VERDICT.value_set(decision.verdict.value),
                options.ACTION.value_set(plan.action.value),
                options.CONFIDENCE.value_set(facts.confidence),
            ]
        )
        await self._chain.record(
            (Gate.EVIDENCE, "trimtab", evidence_detail(self._pack, self._failure)),
            (
                Gate.DELIBERATED,
                (self._deliberation or self._incident).analyst,
                deliberation_detail(self._deliberation, self._confidence, self._failure),
            ),
            (Gate.DECIDED, "policy", decision.model_dump(mode="json")),
        )
        return decision

    async def _ask(self, decision: Decision) -> bool:
        """Put the question and wait: until an answer settles it or the deadline passes."""
        limits = self._incident.limits
        asked_at = workflow.now()
        self._request = asking.request(
            self._incident,
            self._pack,
            self._deliberation,
            self._confidence,
            decision,
            failure=self._failure,
            workflow_id=workflow.info().workflow_id,
            asked_at=asked_at,
        )
        deadline = self._request.deadline
        self._gate.put(decision.plan_hash, open_until=deadline)
        self._enter(Stage.WAITING)
        workflow.set_current_details(f"```\n{self._request.page}\n```")
        await self._chain.record(
            (
                Gate.ASKED,
                "policy",
                {"plan_hash": decision.plan_hash, "deadline": deadline.isoformat()},
            )
        )
        await self._gate.wait(self._request, remind_at=asked_at + limits.reminder_after)
        self._note_answers()
        return self._gate.granted

    def _note_answers(self) -> None:
        """What came since the last time is written with what follows: authorisation or close."""
        for answer in self._gate.fresh():
            approver = answer.decision.approver if answer.decision else "unknown"
            self._chain.note(Gate.ANSWERED, f"person:{approver}", answer.model_dump(mode="json"))

    async def _remediate(self, decision: Decision) -> Ending:
        self._enter(Stage.REMEDIATING)
        try:
            grant = await self._authorise(decision)
            await self._chain.record(
                (
                    Gate.AUTHORISED,
                    self._gate.authority(decision),
                    {"plan_hash": decision.plan_hash, "grant_hash": compute_digest([grant])},
                )
            )
            self._outcome = await self._act(decision, grant)
        except WorkflowAlreadyStartedError:
            return Ending.SUPERSEDED
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            self._failure = f"remediation: {reason(error)}"
            await self._chain.find_tip()
            return Ending.FAILED
        self._chain.resume(sequence=self._outcome.audit_sequence, tip=self._outcome.audit_tip)
        if champion_moved(self._outcome):
            self._acted_at = self._policy_now()
        if self._outcome.failed and cancellation.is_requested():
            return self._cancelled()
        return ending_of(self._outcome)

    def _cancelled(self) -> Ending:
        """Why the incident was cancelled is noted, as far as whoever did it said so."""
        self._failure = "; ".join(filter(None, [self._failure, cancellation.told()]))
        return Ending.CANCELLED

    async def _authorise(self, decision: Decision) -> str:
        assert self._question is not None  # noqa: S101 - a decision was made on it
        return await workflow.execute_activity_method(
            AuthorisationActivities.authorise,
            AuthorisationRequest(
                event_id=self._event.id,
                question=self._question,
                decision=decision,
                answer=self._gate.settling,
            ),
            summary=f"grant by {self._gate.authority(decision)}",
            **options.DECIDE,
        )

    async def _act(self, decision: Decision, grant: str) -> Outcome:
        plan = self._plan
        outcome: Outcome = await workflow.execute_child_workflow(
            names.REMEDIATION,
            RemediationInput(
                order=order_of(self._incident, plan, decision, grant),
                verification_margin=self._incident.limits.verification_margin,
                audit_sequence=self._chain.sequence,
                audit_tip=self._chain.tip,
            ),
            id=names.build_remediation_id(self._event.subject),
            result_type=Outcome,
            task_queue=names.MAIN_QUEUE,
            parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
            static_summary=f"{plan.action} {self._event.subject} because of {plan.cause}",
        )
        return outcome

    async def _close(self, ending: Ending) -> IncidentReport:
        self._ending = ending
        self._gate.close()
        self._note_answers()
        self._enter(Stage.CLOSED)
        await self._chain.record(
            (Gate.CLOSED, "trimtab", {"ending": ending.value, "failure": self._failure})
        )
        report = self._report(ending)
        await self._remember(report)
        return report.model_copy(update={"answers": self._gate.answers})  # some came too late

    def _report(self, ending: Ending) -> IncidentReport:
        return IncidentReport(
            event_id=self._event.id,
            model=self._event.subject,
            correlation_id=self._event.correlationid,
            evidence=self._pack,
            deliberation=self._deliberation,
            failure=self._failure,
            confidence=self._confidence,
            decision=self._decision,
            answers=self._gate.answers,
            outcome=self._outcome,
            ending=ending,
            published_at=self._incident.published_at,
            decided_at=self._decided_at,
            acted_at=self._acted_at,
            closed_at=workflow.now(),
            audit_entries=self._chain.sequence,
            audit_tip=self._chain.tip,
        )

    async def _remember(self, report: IncidentReport) -> None:
        try:
            await workflow.execute_activity_method(
                IncidentActivities.remember_incident,
                report,
                summary=f"{report.ending}: kept for auditors and for the next incident",
                **options.REMEMBER,
            )
        except ActivityError as error:
            workflow.logger.error("incident_not_remembered", extra={"reason": reason(error)})

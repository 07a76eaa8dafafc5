"""One incident from event to report: investigate, decide, ask, act, remember."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import JsonValue, ValidationError
from temporalio import workflow
from temporalio.common import SearchAttributeUpdate
from temporalio.exceptions import (
    ActivityError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from policies.approval import build_approval_request, build_approval_terms
    from policies.confidence import compute_confidence
    from policies.incident import (
        Investigation,
        build_closing_detail,
        build_decision_detail,
        build_deliberation_detail,
        build_evidence_detail,
        build_opening_detail,
        collect_facts,
        determine_ending,
        is_champion_replaced,
    )
    from policies.page_markdown import render_page_markdown
    from trimtab.contracts import names
    from trimtab.contracts.approval import DecisionReceipt, HumanDecision
    from trimtab.contracts.audit import Gate
    from trimtab.contracts.base import compute_digest
    from trimtab.contracts.decision import Decision, PolicyQuestion, Verdict
    from trimtab.contracts.incident import (
        NOT_AUTHORISED,
        Ending,
        IncidentInput,
        IncidentReport,
        IncidentView,
        Stage,
    )
    from trimtab.contracts.validation_errors import format_validation_errors
    from workflows import cancellation, closing, options
    from workflows.chain import POLICY, TRIMTAB, AuditChain, PendingEntry
    from workflows.failure import BUG_TYPES, format_cause
    from workflows.human_gate import HumanGate
    from workflows.incident_state import IncidentState
    from workflows.investigation import ask_analysts, collect_evidence, preview_challenger
    from workflows.notices import PEOPLE_PATCH, Notices
    from workflows.plan_execution import (
        request_grant,
        run_remediation,
        settle_remediation,
    )
    from workflows.policy_check import LOCAL_PATCH, ask_policy
    from workflows.usage import read_usage

_BACKLOG: Final = timedelta(minutes=15)
"""Time for which an incident may wait for a worker, and still began when it was started."""


@workflow.defn(name=names.DRIFT_RESPONSE, failure_exception_types=BUG_TYPES)
class DriftResponseWorkflow:
    """Response to one drift event; it may wait for a person for days."""

    @workflow.init
    def __init__(self, incident: IncidentInput) -> None:
        # Here and not in `run`: a signal that was sent before the start is handled before `run`.
        self._state = IncidentState(Investigation(incident=incident))
        self._chain = AuditChain(incident.event)
        self._gate = HumanGate()
        self._notices = Notices(incident)
        self._found_attributes: list[SearchAttributeUpdate[Any]] = []

    @workflow.run
    async def run(self, incident: IncidentInput) -> IncidentReport:
        """Respond to the event and return the report, also if the incident is cancelled."""
        try:
            ending = await self._respond(incident)
        except (asyncio.CancelledError, FailureError) as error:
            if not is_cancelled_exception(error):
                raise
            ending = self._note_cancellation()
        # The incident is closed whatever happens from here on. A cancellation that comes now would
        # leave an audit chain without its end.
        return await cancellation.complete_despite_cancellation(self._close(ending))

    async def _respond(self, incident: IncidentInput) -> Ending:
        await self._open(incident)
        await self._investigate(incident)
        await self._deliberate(incident)
        decision, question = await self._decide(incident)
        preview = await preview_challenger(incident, question, decision)
        self._state.case = replace(self._state.case, preview=preview)
        if decision.verdict is Verdict.MONITOR:
            return Ending.MONITORED
        if decision.verdict is Verdict.NOTIFY:
            return Ending.NOTIFIED
        if decision.verdict is Verdict.ESCALATE and not await self._ask_person(decision, question):
            return Ending.REJECTED if self._gate.settling_answer else Ending.EXPIRED
        plan = question.plan
        if not plan.action.changes_registry or incident.limits.is_shadow(plan.model):
            return Ending.ACKNOWLEDGED
        return await self._remediate(decision, question)

    @workflow.signal
    def human_decision(self, answer: JsonValue = None, *_more: JsonValue) -> None:
        """Receive a person's answer: `contracts.approval.HumanDecision` as JSON.

        The arguments are untyped, and may be missing or too many: Temporal drops a signal that does
        not fit its handler, but here every message is to be recorded.
        """
        try:
            decision = HumanDecision.model_validate(answer)
        except ValidationError as error:
            fault = format_validation_errors(error, whole="answer", max_value_length=0)[0]
            self._gate.receive_unreadable(fault, now=workflow.now())
            return
        self._gate.receive(decision, now=workflow.now())

    @workflow.update
    def human_decision_update(self, decision: HumanDecision) -> DecisionReceipt:
        """Receive a person's answer, validated and acknowledged."""
        self._gate.receive(decision, now=workflow.now())
        return self._gate.build_receipt()

    @human_decision_update.validator
    def _validate_human_decision_update(self, decision: HumanDecision) -> None:
        refusal = self._gate.explain_refusal(decision, now=workflow.now())
        if refusal:
            raise ValueError(refusal)

    @workflow.query
    def incident(self) -> IncidentView:
        """Return the incident's present state."""
        return self._state.build_view(self._gate.answers, terms=self._gate.terms)

    def _read_policy_time(self, incident: IncidentInput) -> datetime:
        return incident.as_of or workflow.now()

    def _enter(self, stage: Stage) -> None:
        self._state.stage = stage
        self._show(options.STAGE_KEY.value_set(stage.value))

    def _show(self, *attributes: SearchAttributeUpdate[Any]) -> None:
        """Set search attributes, and those that were found but not shown before."""
        found, self._found_attributes = self._found_attributes, []
        workflow.upsert_search_attributes([*attributes, *found])

    async def _open(self, incident: IncidentInput) -> None:
        self._state.stage = Stage.INVESTIGATING
        opened = PendingEntry(Gate.OPENED, TRIMTAB, build_opening_detail(incident))
        # An incident begins with its start, also if no worker had time for it at once: the mint
        # asks which policy was in force then. Whoever delays a start for long gains nothing.
        self._chain.note(
            opened, at=max(workflow.info().workflow_start_time, workflow.now() - _BACKLOG)
        )
        await self._chain.record()

    async def _investigate(self, incident: IncidentInput) -> None:
        try:
            found = await collect_evidence(incident)
        except (ActivityError, ValueError) as error:
            if is_cancelled_exception(error):
                raise
            self._state.set_failure(f"evidence could not be collected: {format_cause(error)}")
        else:
            self._state.case = replace(
                self._state.case,
                pack=found.pack,
                measured=found.measured,
                recalled=found.recalled,
            )

    async def _deliberate(self, incident: IncidentInput) -> None:
        pack = self._state.case.pack
        if pack is None:
            return
        self._enter(Stage.DELIBERATING)
        deliberation, failure = await ask_analysts(incident, pack)
        self._state.case = replace(
            self._state.case,
            deliberation=deliberation,
            confidence=(compute_confidence(deliberation, pack, incident) if deliberation else None),
            failure=failure,
        )

    async def _decide(self, incident: IncidentInput) -> tuple[Decision, PolicyQuestion]:
        self._state.stage = Stage.DECIDING
        case, now = self._state.case, self._read_policy_time(incident)
        locally = workflow.patched(LOCAL_PATCH)
        usage = await read_usage(incident, now=now, is_new=locally)
        question = PolicyQuestion(
            plan=case.plan,
            facts=collect_facts(case, usage, now=now),
            limits=incident.limits,
            now=now,
        )
        decision = await ask_policy(question, locally=locally)
        self._state.decision, self._state.decided_at = decision, workflow.now()
        self._found_attributes = [
            options.VERDICT_KEY.value_set(decision.verdict.value),
            options.ACTION_KEY.value_set(question.plan.action.value),
            options.CONFIDENCE_KEY.value_set(question.facts.confidence),
        ]
        # An incident that is left to monitoring closes at once, and shows them with that.
        if not locally or decision.verdict not in {Verdict.MONITOR, Verdict.NOTIFY}:
            self._show(options.STAGE_KEY.value_set(Stage.DECIDING.value))
        # Nothing has been done until here, so these three entries share one write.
        analyst = (case.deliberation or incident).analyst
        await self._chain.record(
            PendingEntry(Gate.EVIDENCE, TRIMTAB, build_evidence_detail(case)),
            PendingEntry(Gate.DELIBERATED, analyst, build_deliberation_detail(case)),
            PendingEntry(Gate.DECIDED, POLICY, build_decision_detail(decision, question)),
        )
        return decision, question

    async def _ask_person(self, decision: Decision, question: PolicyQuestion) -> bool:
        """Put the question and wait until an answer settles it or the deadline passes."""
        asked_at = workflow.now()
        case = self._state.case
        terms = build_approval_terms(
            case.incident,
            question,
            decision,
            proposer=case.deliberation.analyst if case.deliberation else "",
            asked_at=asked_at,
            # An incident that asked before this change keeps its terms when it is replayed.
            strict=workflow.patched(PEOPLE_PATCH),
        )
        request = self._state.request = build_approval_request(
            case, decision, workflow_id=workflow.info().workflow_id, terms=terms
        )
        # The gate opens before anything is awaited: from the next await on, answers may arrive. The
        # question is on record before the page leaves.
        self._gate.open_question(terms)
        self._enter(Stage.WAITING)
        workflow.set_current_details(render_page_markdown(request.page))
        detail: dict[str, JsonValue] = {
            "plan_hash": decision.plan_hash,
            "asked_at": terms.asked_at.isoformat(),
            "deadline": terms.deadline.isoformat(),
            "approvals_needed": terms.approvals_needed,
            "require_signature": terms.require_signature,
            "approvers": [*sorted(terms.approvers)],
        }
        if case.preview is not None:
            detail["preview_hash"] = compute_digest(case.preview)
        await self._chain.record(PendingEntry(Gate.ASKED, POLICY, detail))
        remind_at = asked_at + self._state.incident.limits.reminder_after
        await self._gate.wait_for_answer(
            request, remind_at=remind_at, notices=self._notices, record=self._record_answers
        )
        self._note_answers()
        return self._gate.is_granted

    async def _record_answers(self) -> None:
        self._note_answers()
        await self._chain.record()

    def _note_answers(self) -> None:
        """Note the new answers; they are written with the next entry."""
        for answer in self._gate.take_new_answers():
            approver = answer.decision.approver if answer.decision else "unknown"
            detail = answer.model_dump(mode="json")
            self._chain.note(PendingEntry(Gate.ANSWERED, f"person:{approver}", detail))

    async def _remediate(self, decision: Decision, question: PolicyQuestion) -> Ending:
        incident = self._state.incident
        self._enter(Stage.REMEDIATING)
        grant = ""
        try:
            grant = await request_grant(self._state.case, decision, gate=self._gate)
            authority = self._gate.format_authority(decision)
            detail: dict[str, JsonValue] = {
                "plan_hash": decision.plan_hash,
                "grant_hash": compute_digest([grant]),
            }
            # On record before the child starts, because the child may act at once.
            await self._chain.record(PendingEntry(Gate.AUTHORISED, authority, detail))
            outcome = await run_remediation(
                incident, question.plan, decision, grant, chain=self._chain
            )
        except WorkflowAlreadyStartedError:
            return Ending.SUPERSEDED
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            part = "remediation" if grant else NOT_AUTHORISED
            self._state.set_failure(f"{part}: {format_cause(error)}")
            # The child failed without an outcome, but may have written to the chain before.
            await self._chain.find_tip()
            # Incidents of earlier releases replay without this: they left what the child changed.
            if grant and workflow.patched("settle-remediation"):
                undone = await settle_remediation(
                    incident, question.plan, decision, grant, chain=self._chain
                )
                self._state.add_failure(f"undo: {undone.detail}")
                self._state.acted_at = self._read_policy_time(incident) if undone.applied else None
            return Ending.FAILED
        self._state.outcome = outcome
        self._chain.resume(sequence=outcome.audit_sequence, tip=outcome.audit_tip)
        if is_champion_replaced(outcome):
            self._state.acted_at = self._read_policy_time(incident)
        # A cancelled remediation undoes its changes and returns an outcome, it does not raise.
        if outcome.failed and cancellation.is_cancellation_requested():
            return self._note_cancellation()
        return determine_ending(outcome)

    def _note_cancellation(self) -> Ending:
        self._state.add_failure(cancellation.format_cancellation())
        return Ending.CANCELLED

    async def _close(self, ending: Ending) -> IncidentReport:
        self._state.ending = ending
        self._gate.close()
        self._note_answers()
        self._state.stage = Stage.CLOSED
        self._show(
            options.STAGE_KEY.value_set(Stage.CLOSED.value),
            options.ENDING_KEY.value_set(ending.value),
        )
        report = self._state.build_report(ending, self._gate.answers, closed_at=workflow.now())
        detail = build_closing_detail(report)
        if self._gate.uncounted:
            detail["answers_not_kept"] = self._gate.uncounted
        await self._chain.record(PendingEntry(Gate.CLOSED, TRIMTAB, detail))
        end = {"audit_entries": self._chain.sequence, "audit_tip": self._chain.tip}
        report = report.model_copy(update=end)
        closing.show_outcome(report)
        self._notices.send_closing(
            report,
            workflow_id=workflow.info().workflow_id,
            was_asked=self._state.request is not None,
        )
        await closing.remember(report)
        await self._notices.finish()
        # Answers that arrived meanwhile came too late for the audit log, but not for the report.
        return report.model_copy(update={"answers": self._gate.answers})

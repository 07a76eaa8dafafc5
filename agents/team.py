"""Runs the agents on one case: an ADK graph from triage to review, with a node for each step.

Inside a Temporal workflow every model call and every tool call is an activity, and everything else
here is replayed: it takes no time and no chance from outside. A reply that does not fit is refused
once with the reason; the second refusal fails the deliberation.
"""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from google.adk.agents import LlmAgent, RunConfig
from google.adk.agents.context import Context
from google.adk.runners import InMemoryRunner
from google.adk.workflow import FunctionNode, Workflow
from google.adk.workflow._errors import DynamicNodeFailError
from google.genai.types import UserContent
from pydantic import ValidationError
from temporalio.common import RetryPolicy

from agents.briefing import format_request
from agents.calls import ModelCall
from agents.case import AgentStep, Case
from agents.coordinator.agent import build_review_agent, build_triage_agent
from agents.investigator.agent import build_cause_agent, build_gathering_agent
from agents.investigator.tool_budget import ToolBudget
from agents.investigator.tools import build_session_state, build_tools
from agents.records import (
    BadReplyError,
    build_plan,
    build_review,
    build_root_cause,
    build_triage,
)
from agents.role import UsageTally
from agents.strategist.agent import build_plan_agent
from trimtab.contracts.base import Record, Reply, compute_digest
from trimtab.contracts.deliberation import (
    RULE_ANALYST,
    Deliberation,
    DeliberationInput,
    PlanReply,
    ReviewReply,
    RootCauseReply,
    TriageReply,
)
from trimtab.contracts.validation_errors import format_validation_errors

MAX_MODEL_CALLS: Final = 12
"""Model calls of one deliberation: five steps, four turns of tool calls, and a few repeated
answers."""
_APP_NAME: Final = "trimtab"
_MAX_COMPLAINT_LENGTH: Final = 600

_Reply = TypeVar("_Reply", bound=Reply)
_Record = TypeVar("_Record", bound=Record)


async def deliberate(
    data: DeliberationInput,
    *,
    model_options: Mapping[str, Any],
    tool_options: Mapping[str, Any],
    rules_options: Mapping[str, Any] | None = None,
) -> Deliberation:
    """Return the agents' conclusions; raise whatever went wrong.

    Args:
        data: The event, the model's configuration and the evidence.
        model_options: Options of the activities that call a language model.
        tool_options: Options of the activities behind the tools.
        rules_options: Options of the local activities in which `analyst/rules` answers; None to
            call it like a language model.
    """
    team = _Team(
        data, model_options=model_options, tool_options=tool_options, rules_options=rules_options
    )
    runner = InMemoryRunner(node=team.build_graph(), app_name=_APP_NAME)
    session = await runner.session_service.create_session(
        app_name=_APP_NAME,
        user_id=_APP_NAME,
        session_id=data.event.correlationid,
        state=build_session_state(data),
    )
    last: Any = None
    async for event in runner.run_async(
        user_id=_APP_NAME,
        session_id=session.id,
        new_message=UserContent(f"drift of {data.spec.name}"),
        run_config=RunConfig(max_llm_calls=MAX_MODEL_CALLS),
    ):
        last = event.output if event.output is not None else last
    return team.conclude(Case.model_validate(last))


class _Team:
    """The agents of one deliberation, and the steps in which they are asked."""

    def __init__(
        self,
        data: DeliberationInput,
        *,
        model_options: Mapping[str, Any],
        tool_options: Mapping[str, Any],
        rules_options: Mapping[str, Any] | None,
    ) -> None:
        self._data = data
        self._model_options = model_options
        self._local_options = rules_options if data.analyst == RULE_ANALYST else None
        self._tally = UsageTally()
        self._budget = ToolBudget(Case(data=data))
        self._tools = build_tools(tool_options)

    def build_graph(self) -> Workflow:
        """Return the graph: triage, a closer look, cause, plan and review, one after the other."""
        steps = (self._triage, self._look, self._find_cause, self._plan, self._review)
        nodes = [
            FunctionNode(func=step, name=step.__name__.strip("_"), rerun_on_resume=True)
            for step in steps
        ]
        return Workflow(name="deliberation", edges=[("START", *nodes)])

    def conclude(self, case: Case) -> Deliberation:
        """Return the finished case as the record that the incident gets."""
        if not (case.triage and case.root_cause and case.plan and case.review):
            msg = "the agents' graph ended before the review"
            raise RuntimeError(msg)
        return Deliberation(
            triage=case.triage,
            root_cause=case.root_cause,
            plan=case.plan,
            plan_hash=compute_digest(case.plan),
            review=case.review,
            inspected=case.inspected,
            analyst=self._data.analyst,
            usage=self._tally.usage.model_copy(update={"tool_calls": self._budget.calls}),
        )

    # ADK passes a step the case by the name of its parameter: `node_input` cannot be renamed.

    async def _triage(self, ctx: Context) -> Case:
        case = Case(data=self._data)
        agent = build_triage_agent(self._build_model("coordinator: triage"), tally=self._tally)
        triage = await _ask(
            ctx, agent, case, step=AgentStep.TRIAGE, schema=TriageReply, build=build_triage
        )
        return case.model_copy(update={"triage": triage})

    async def _look(self, ctx: Context, node_input: Case) -> Case:
        """Gather evidence with tools. That helps but is not needed: a failure is ignored."""
        agent = build_gathering_agent(
            self._build_model("investigator: closer look", once=True),
            tally=self._tally,
            tools=self._tools,
            budget=self._budget,
        )
        with contextlib.suppress(DynamicNodeFailError):
            await ctx.run_node(agent, format_request(node_input, AgentStep.LOOK))
        # Tools run side by side. What they found must not depend on which of them was the fastest.
        found = tuple(sorted(self._budget.found, key=lambda each: each.id))
        return node_input.model_copy(update={"inspected": found})

    async def _find_cause(self, ctx: Context, node_input: Case) -> Case:
        agent = build_cause_agent(self._build_model("investigator: root cause"), tally=self._tally)
        root_cause = await _ask(
            ctx,
            agent,
            node_input,
            step=AgentStep.CAUSE,
            schema=RootCauseReply,
            build=build_root_cause,
        )
        return node_input.model_copy(update={"root_cause": root_cause})

    async def _plan(self, ctx: Context, node_input: Case) -> Case:
        agent = build_plan_agent(self._build_model("strategist: plan"), tally=self._tally)
        plan = await _ask(
            ctx, agent, node_input, step=AgentStep.PLAN, schema=PlanReply, build=build_plan
        )
        return node_input.model_copy(update={"plan": plan})

    async def _review(self, ctx: Context, node_input: Case) -> Case:
        agent = build_review_agent(self._build_model("coordinator: review"), tally=self._tally)
        review = await _ask(
            ctx, agent, node_input, step=AgentStep.REVIEW, schema=ReviewReply, build=build_review
        )
        return node_input.model_copy(update={"review": review})

    def _build_model(self, summary: str, *, once: bool = False) -> ModelCall:
        changed = {"retry_policy": RetryPolicy(maximum_attempts=1)} if once else {}
        local = self._local_options
        return ModelCall(
            self._data.analyst,
            {**self._model_options, **changed},
            summary=summary,
            local_options=None if local is None else {**local, **changed},
        )


async def _ask(
    ctx: Context,
    agent: LlmAgent,
    case: Case,
    *,
    step: AgentStep,
    schema: type[_Reply],
    build: Callable[[_Reply, Case], _Record],
) -> _Record:
    """Return the record built from the agent's reply; a reply that does not fit gets one retry."""
    question = format_request(case, step)
    try:
        return build(await _get_reply(ctx, agent, question, schema), case)
    except (ValidationError, BadReplyError) as fault:
        refusal = _format_fault(fault)
    complaint = f"{question}\nYour last answer was refused: {refusal}. Answer again."
    return build(await _get_reply(ctx, agent, complaint, schema), case)


async def _get_reply(ctx: Context, agent: LlmAgent, question: str, schema: type[_Reply]) -> _Reply:
    try:
        output = await ctx.run_node(agent, question)
    except DynamicNodeFailError as failed:
        # ADK wraps what went wrong; the incident is to report the error itself.
        raise failed.error from failed.error.__cause__
    if output is None:
        msg = "the answer was empty"
        raise BadReplyError(msg)
    return schema.model_validate(output)


def _format_fault(fault: ValueError) -> str:
    if not isinstance(fault, ValidationError):
        return str(fault)[:_MAX_COMPLAINT_LENGTH]
    lines = format_validation_errors(fault, whole="answer", max_value_length=0)
    return "; ".join(lines)[:_MAX_COMPLAINT_LENGTH]

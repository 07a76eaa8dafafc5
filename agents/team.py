"""Runs the agents on one case: an ADK graph from triage to review, each step a step of the graph.

Inside a Temporal workflow every model call and every tool call is an activity. A reply that does
not fit is refused once with the reason; the second refusal fails the deliberation.
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

from agents import records
from agents.briefing import request
from agents.calls import ModelCall
from agents.case import Case, Task
from agents.coordinator.agent import coordinator, reviewer
from agents.investigator.agent import gatherer, investigator
from agents.investigator.tool_budget import Looks
from agents.investigator.tools import session_state, tools
from agents.role import Tally
from agents.strategist.agent import strategist
from trimtab.contracts.base import Record, Reply, digest
from trimtab.contracts.deliberation import Deliberation, DeliberationInput
from trimtab.contracts.validation_errors import format_validation_errors

MOST_MODEL_CALLS: Final = 12
"""Model calls of one deliberation: five steps, four looks, and a few second answers."""
_APP: Final = "trimtab"
_COMPLAINT_LENGTH = 600

ARecord = TypeVar("ARecord", bound=Record)


async def deliberate(
    data: DeliberationInput, *, asking: Mapping[str, Any], looking: Mapping[str, Any]
) -> Deliberation:
    """What the agents conclude; raises whatever went wrong.

    Args:
        data: The event, the model's configuration and the evidence.
        asking: Options of the activities that call a language model.
        looking: Options of the activities behind the tools.
    """
    team = _Team(data, asking=asking, looking=looking)
    runner = InMemoryRunner(node=team.graph(), app_name=_APP)
    session = await runner.session_service.create_session(
        app_name=_APP,
        user_id=_APP,
        session_id=data.event.correlationid,
        state=session_state(data),
    )
    last: Any = None
    async for event in runner.run_async(
        user_id=_APP,
        session_id=session.id,
        new_message=UserContent(f"drift of {data.spec.name}"),
        run_config=RunConfig(max_llm_calls=MOST_MODEL_CALLS),
    ):
        last = event.output if event.output is not None else last
    return team.conclusion(Case.model_validate(last))


class _Team:
    """The agents of one deliberation, and the steps in which they are asked."""

    def __init__(
        self, data: DeliberationInput, *, asking: Mapping[str, Any], looking: Mapping[str, Any]
    ) -> None:
        self._data = data
        self._asking = asking
        self._tally = Tally()
        self._looks = Looks(Case(data=data))
        self._tools = tools(looking)

    def graph(self) -> Workflow:
        """Triage, a closer look, cause, plan, review: one after the other."""
        steps = (self._triage, self._look, self._find_cause, self._plan, self._review)
        nodes = [
            FunctionNode(func=step, name=step.__name__.strip("_"), rerun_on_resume=True)
            for step in steps
        ]
        return Workflow(name="deliberation", edges=[("START", *nodes)])

    def conclusion(self, case: Case) -> Deliberation:
        """The finished case as the record that is handed back."""
        if not (case.triage and case.root_cause and case.plan and case.review):
            msg = "the agents' graph ended before the review"
            raise RuntimeError(msg)
        return Deliberation(
            triage=case.triage,
            root_cause=case.root_cause,
            plan=case.plan,
            plan_hash=digest(case.plan),
            review=case.review,
            inspected=case.inspected,
            analyst=self._data.analyst,
            usage=self._tally.usage.model_copy(update={"tool_calls": self._looks.calls}),
        )

    async def _triage(self, ctx: Context) -> Case:
        case = Case(data=self._data)
        agent = coordinator(self._model("coordinator: triage"), tally=self._tally)
        triage = await _ask(ctx, agent, case, task=Task.TRIAGE, build=records.triage)
        return case.model_copy(update={"triage": triage})

    async def _look(self, ctx: Context, node_input: Case) -> Case:
        """Looking closer helps but is not needed: where it fails, the case goes on without."""
        once = {**self._asking, "retry_policy": RetryPolicy(maximum_attempts=1)}
        agent = gatherer(
            ModelCall(self._data.analyst, once, summary="investigator: closer look"),
            tally=self._tally,
            tools=self._tools,
            looks=self._looks,
        )
        with contextlib.suppress(DynamicNodeFailError):
            await ctx.run_node(agent, request(node_input, Task.LOOK))
        return node_input.model_copy(update={"inspected": self._looks.found})

    async def _find_cause(self, ctx: Context, node_input: Case) -> Case:
        agent = investigator(self._model("investigator: root cause"), tally=self._tally)
        root_cause = await _ask(ctx, agent, node_input, task=Task.CAUSE, build=records.root_cause)
        return node_input.model_copy(update={"root_cause": root_cause})

    async def _plan(self, ctx: Context, node_input: Case) -> Case:
        agent = strategist(self._model("strategist: plan"), tally=self._tally)
        plan = await _ask(ctx, agent, node_input, task=Task.PLAN, build=records.plan)
        return node_input.model_copy(update={"plan": plan})

    async def _review(self, ctx: Context, node_input: Case) -> Case:
        agent = reviewer(self._model("coordinator: review"), tally=self._tally)
        review = await _ask(ctx, agent, node_input, task=Task.REVIEW, build=records.review)
        return node_input.model_copy(update={"review": review})

    def _model(self, summary: str) -> ModelCall:
        return ModelCall(self._data.analyst, self._asking, summary=summary)


async def _ask(
    ctx: Context,
    agent: LlmAgent,
    case: Case,
    *,
    task: Task,
    build: Callable[[Any, Case], ARecord],
) -> ARecord:
    """The record built from the agent's reply; a reply that does not fit may be given once more."""
    question = request(case, task)
    try:
        return build(await _reply(ctx, agent, question), case)
    except (ValidationError, records.BadReplyError) as fault:
        complaint = f"{question}\nYour last answer was refused: {_described(fault)}. Answer again."
    return build(await _reply(ctx, agent, complaint), case)


async def _reply(ctx: Context, agent: LlmAgent, question: str) -> Any:  # noqa: ANN401 - as the schema says
    schema = agent.output_schema
    assert isinstance(schema, type) and issubclass(schema, Reply)  # noqa: S101, PT018 - how agents are built
    try:
        output = await ctx.run_node(agent, question)
    except DynamicNodeFailError as failed:
        raise failed.error from failed.error.__cause__
    if output is None:
        msg = "the answer was empty"
        raise records.BadReplyError(msg)
    return schema.model_validate(output)


def _described(fault: ValueError) -> str:
    if not isinstance(fault, ValidationError):
        return str(fault)[:_COMPLAINT_LENGTH]
    lines = format_validation_errors(fault, whole="answer", max_value_length=0)
    return "; ".join(lines)[:_COMPLAINT_LENGTH]

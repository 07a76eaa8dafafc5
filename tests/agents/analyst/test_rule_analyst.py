"""`analyst/rules` behaves like any other model."""

import pytest
from google.adk.models import LLMRegistry
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.genai import types

from agents.analyst.rule_analyst import RuleAnalyst
from agents.briefing import format_request
from agents.case import AgentStep
from agents.records import build_triage
from tests.agents.cases import a_case, a_triage_reply
from tests.builders import a_root_cause
from trimtab.adapters.ollama.ollama_model import OllamaModel
from trimtab.contracts.base import Reply
from trimtab.contracts.deliberation import (
    RULE_ANALYST,
    PlanReply,
    ReviewReply,
    RootCauseReply,
    TriageReply,
)


def asked(text: str, *, tools: tuple[str, ...] = ()) -> LlmRequest:
    declarations = [types.FunctionDeclaration(name=name) for name in tools]
    return LlmRequest(
        model=RULE_ANALYST,
        contents=[types.UserContent(text)],
        config=types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=declarations)] if declarations else None
        ),
    )


async def answer(llm_request: LlmRequest) -> list[types.Part]:
    responses: list[LlmResponse] = [
        response async for response in RuleAnalyst().generate_content_async(llm_request)
    ]
    assert len(responses) == 1
    content = responses[0].content
    assert content is not None
    return content.parts or []


SCHEMAS: dict[AgentStep, type[Reply]] = {
    AgentStep.TRIAGE: TriageReply,
    AgentStep.CAUSE: RootCauseReply,
    AgentStep.PLAN: PlanReply,
    AgentStep.REVIEW: ReviewReply,
}


@pytest.mark.parametrize("task", SCHEMAS)
async def test_it_answers_each_task_in_its_schema(task: AgentStep) -> None:
    (part,) = await answer(asked(format_request(a_case(), task)))

    SCHEMAS[task].model_validate_json(part.text or "")


async def test_it_answers_the_newest_request_of_a_conversation() -> None:
    conversation = asked(format_request(a_case(), AgentStep.TRIAGE))
    conversation.contents.append(types.UserContent(format_request(a_case(), AgentStep.PLAN)))

    (part,) = await answer(conversation)

    PlanReply.model_validate_json(part.text or "")


async def test_it_looks_at_the_worst_column_and_the_nearest_document() -> None:
    case = a_case()
    triage = build_triage(a_triage_reply(), case)
    text = format_request(case.model_copy(update={"triage": triage}), AgentStep.LOOK)

    parts = await answer(asked(text, tools=("inspect_feature", "read_document")))

    calls = [part.function_call for part in parts if part.function_call]
    assert [(call.name, call.args) for call in calls] == [
        ("inspect_feature", {"feature": "Occupancy"}),
        ("read_document", {"document_id": "runbook/label-shift"}),
    ]
    assert parts[0].text == "done"


async def test_it_calls_no_tool_that_is_not_offered() -> None:
    parts = await answer(asked(format_request(a_case(), AgentStep.LOOK)))

    assert [part.function_call for part in parts if part.function_call] == []


async def test_it_refuses_a_request_that_is_about_no_case() -> None:
    with pytest.raises(ValueError, match="holds no <data>"):
        await answer(asked("Tell me a joke."))


async def test_hypotheses_of_others_are_read_by_their_names() -> None:
    case = a_case().model_copy(update={"root_cause": a_root_cause()})

    (part,) = await answer(asked(format_request(case, AgentStep.PLAN)))

    assert '"action":"retrain"' in (part.text or "")


def test_names_find_their_models() -> None:
    assert isinstance(LLMRegistry.new_llm("analyst/rules"), RuleAnalyst)
    for name in ("ollama/qwen3:8b", "ollama/gemma3:4b", "ollama/smollm2"):
        assert isinstance(LLMRegistry.new_llm(name), OllamaModel)

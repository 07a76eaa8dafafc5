"""`analyst/rules` behaves like any other model."""

import pytest
from google.adk.models import LLMRegistry
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.genai import types

from agents import records
from agents.analyst import NAME, RuleAnalyst
from agents.briefing import request
from agents.case import Task
from tests.agents.cases import a_case, a_triage_reply
from tests.builders import a_root_cause
from trimtab.adapters.ollama.ollama_model import OllamaModel
from trimtab.contracts.base import Reply
from trimtab.contracts.deliberation import PlanReply, ReviewReply, RootCauseReply, TriageReply


def asked(text: str, *, tools: tuple[str, ...] = ()) -> LlmRequest:
    declarations = [types.FunctionDeclaration(name=name) for name in tools]
    return LlmRequest(
        model=NAME,
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


SCHEMAS: dict[Task, type[Reply]] = {
    Task.TRIAGE: TriageReply,
    Task.CAUSE: RootCauseReply,
    Task.PLAN: PlanReply,
    Task.REVIEW: ReviewReply,
}


@pytest.mark.parametrize("task", SCHEMAS)
async def test_it_answers_each_task_in_its_schema(task: Task) -> None:
    (part,) = await answer(asked(request(a_case(), task)))

    SCHEMAS[task].model_validate_json(part.text or "")


async def test_it_answers_the_newest_request_of_a_conversation() -> None:
    conversation = asked(request(a_case(), Task.TRIAGE))
    conversation.contents.append(types.UserContent(request(a_case(), Task.PLAN)))

    (part,) = await answer(conversation)

    PlanReply.model_validate_json(part.text or "")


async def test_it_looks_at_the_worst_column_and_the_nearest_document() -> None:
    case = a_case()
    triage = records.triage(a_triage_reply(), case)
    text = request(case.model_copy(update={"triage": triage}), Task.LOOK)

    parts = await answer(asked(text, tools=("inspect_feature", "read_document")))

    calls = [part.function_call for part in parts if part.function_call]
    assert [(call.name, call.args) for call in calls] == [
        ("inspect_feature", {"feature": "Occupancy"}),
        ("read_document", {"document_id": "runbook/label-shift"}),
    ]
    assert parts[0].text == "done"


async def test_it_calls_no_tool_that_is_not_offered() -> None:
    parts = await answer(asked(request(a_case(), Task.LOOK)))

    assert [part.function_call for part in parts if part.function_call] == []


async def test_it_refuses_a_request_that_is_about_no_case() -> None:
    with pytest.raises(ValueError, match="holds no <data>"):
        await answer(asked("Tell me a joke."))


async def test_hypotheses_of_others_are_read_by_their_names() -> None:
    case = a_case().model_copy(update={"root_cause": a_root_cause()})

    (part,) = await answer(asked(request(case, Task.PLAN)))

    assert '"action":"retrain"' in (part.text or "")


def test_names_find_their_models() -> None:
    assert isinstance(LLMRegistry.new_llm("analyst/rules"), RuleAnalyst)
    for name in ("ollama/qwen3:8b", "ollama/gemma3:4b", "ollama/smollm2"):
        assert isinstance(LLMRegistry.new_llm(name), OllamaModel)

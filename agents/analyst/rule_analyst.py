"""`analyst/rules`: the built-in analyst, which ADK treats like any other model, answers by rules.

It reads the same request as a language model, calls the same tools and answers in the same schemas,
from the evidence in the request alone, and always alike. It is the default, the fallback, and the
baseline that every language model is measured against.
"""

from collections.abc import AsyncGenerator, Callable
from typing import Final

from google.adk.models import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.genai import types
from typing_extensions import override

from agents.analyst.answers import answer_cause, answer_plan, answer_triage
from agents.analyst.review import answer_review
from agents.brief import Brief, read_brief
from agents.case import AgentStep
from agents.fence import OPENING
from agents.investigator.tool_budget import DONE
from trimtab.contracts.base import Reply
from trimtab.contracts.deliberation import RULE_ANALYST

_ANSWERS: Final[dict[AgentStep, Callable[[Brief], Reply]]] = {
    AgentStep.TRIAGE: answer_triage,
    AgentStep.CAUSE: answer_cause,
    AgentStep.PLAN: answer_plan,
    AgentStep.REVIEW: answer_review,
}


class RuleAnalyst(BaseLlm):
    """Answers every agent by the rules of this package."""

    model: str = RULE_ANALYST

    @classmethod
    def supported_models(cls) -> list[str]:
        """Return the names that ADK's registry resolves to this class."""
        return [RULE_ANALYST]

    @override
    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        """Yield one answer or one turn of tool calls; raise ValueError if there is no case."""
        brief = read_brief(_find_question(llm_request))
        answer = _ANSWERS.get(brief.task)
        if answer is not None:
            yield _build_text_response(answer(brief).model_dump_json())
        elif _has_tool_results(llm_request):
            yield _build_text_response(DONE)
        else:
            yield _build_tool_calls(brief, offered=_list_offered_tools(llm_request))


def _find_question(llm_request: LlmRequest) -> str:
    """Return the newest text that holds a case."""
    texts = [
        part.text
        for content in llm_request.contents
        for part in content.parts or ()
        if part.text and OPENING in part.text
    ]
    if not texts:
        msg = f"{RULE_ANALYST} only answers requests about a case, and this one holds no {OPENING}"
        raise ValueError(msg)
    return texts[-1]


def _has_tool_results(llm_request: LlmRequest) -> bool:
    return any(
        part.function_response is not None
        for content in llm_request.contents
        for part in content.parts or ()
    )


def _list_offered_tools(llm_request: LlmRequest) -> set[str]:
    return {
        declaration.name
        for tool in llm_request.config.tools or ()
        if isinstance(tool, types.Tool)
        for declaration in tool.function_declarations or ()
        if declaration.name
    }


def _build_tool_calls(brief: Brief, *, offered: set[str]) -> LlmResponse:
    """Inspect one column and read one document: each call costs the person on call seconds."""
    wanted = [
        *(("inspect_feature", {"feature": name}) for name in brief.focus[:1]),
        *(("read_document", {"document_id": each.id}) for each in brief.documents[:1]),
    ]
    calls = [
        types.Part(function_call=types.FunctionCall(name=name, args=dict(args)))
        for name, args in wanted
        if name in offered
    ]
    return _build_response([types.Part(text=DONE), *calls])


def _build_text_response(text: str) -> LlmResponse:
    return _build_response([types.Part(text=text)])


def _build_response(parts: list[types.Part]) -> LlmResponse:
    return LlmResponse(
        content=types.Content(role="model", parts=parts),
        usage_metadata=types.GenerateContentResponseUsageMetadata(
            prompt_token_count=0, candidates_token_count=0, total_token_count=0
        ),
    )

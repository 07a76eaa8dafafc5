"""`analyst/rules`: the built-in analyst, a model like any other to ADK, that answers by rules.

It reads the same request as a language model would, calls the same tools and answers in the same
schemas, from the evidence in the request alone and always alike. It is the default, the fallback,
and the baseline that every language model is measured against.
"""

from collections.abc import AsyncGenerator, Callable
from typing import Final

from google.adk.models import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.genai import types

from agents.answers import plan, review, root_cause, triage
from agents.brief import Brief, read_brief
from agents.case import Task
from agents.fence import OPENING
from agents.investigator.tool_budget import DONE
from trimtab.contracts.base import Reply

NAME: Final = "analyst/rules"

_ANSWERS: Final[dict[Task, Callable[[Brief], Reply]]] = {
    Task.TRIAGE: triage,
    Task.CAUSE: root_cause,
    Task.PLAN: plan,
    Task.REVIEW: review,
}


class RuleAnalyst(BaseLlm):
    """Answers each role from the rules in `agents.rules`."""

    model: str = NAME

    @classmethod
    def supported_models(cls) -> list[str]:
        """The names that ADK's registry resolves to this class."""
        return [r"analyst/rules"]

    async def generate_content_async(
        self,
        llm_request: LlmRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002 - the base class's signature
    ) -> AsyncGenerator[LlmResponse, None]:
        """One answer, or one turn of tool calls; raises ValueError when the request has no case."""
        brief = read_brief(_question(llm_request))
        answer = _ANSWERS.get(brief.task)
        if answer is not None:
            yield _says(answer(brief).model_dump_json())
        elif _already_looked(llm_request):
            yield _says(DONE)
        else:
            yield _looks(brief, offered=_offered(llm_request))


def _question(llm_request: LlmRequest) -> str:
    texts = [
        part.text
        for content in llm_request.contents
        for part in content.parts or ()
        if part.text and OPENING in part.text
    ]
    if not texts:
        msg = f"{NAME} answers requests about a case only: this one holds no {OPENING}"
        raise ValueError(msg)
    return texts[-1]


def _already_looked(llm_request: LlmRequest) -> bool:
    return any(
        part.function_response is not None
        for content in llm_request.contents
        for part in content.parts or ()
    )


def _offered(llm_request: LlmRequest) -> set[str]:
    return {
        declaration.name
        for tool in llm_request.config.tools or ()
        if isinstance(tool, types.Tool)
        for declaration in tool.function_declarations or ()
        if declaration.name
    }


def _looks(brief: Brief, *, offered: set[str]) -> LlmResponse:
    """One column and one document: each look costs the person on call seconds."""
    wanted = [
        *(("inspect_feature", {"feature": name}) for name in brief.focus[:1]),
        *(("read_document", {"document_id": each.id}) for each in brief.documents[:1]),
    ]
    calls = [
        types.Part(function_call=types.FunctionCall(name=name, args=dict(args)))
        for name, args in wanted
        if name in offered
    ]
    return _response([types.Part(text=DONE), *calls])


def _says(text: str) -> LlmResponse:
    return _response([types.Part(text=text)])


def _response(parts: list[types.Part]) -> LlmResponse:
    return LlmResponse(
        content=types.Content(role="model", parts=parts),
        usage_metadata=types.GenerateContentResponseUsageMetadata(
            prompt_token_count=0, candidates_token_count=0, total_token_count=0
        ),
    )

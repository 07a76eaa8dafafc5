"""A language model that says what the test wrote, and fails when the script runs out."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any, ClassVar

from google.adk.models import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.genai import types

from trimtab.contracts.base import Reply

Turn = LlmResponse | Exception
"""What one call answers, or what it raises."""


def says(reply: str | Reply) -> LlmResponse:
    """A turn of words: text, or a reply as JSON."""
    text = reply if isinstance(reply, str) else reply.model_dump_json()
    parts = [types.Part(text=text)] if text else []
    return LlmResponse(
        content=types.Content(role="model", parts=parts),
        finish_reason=types.FinishReason.STOP,
        usage_metadata=types.GenerateContentResponseUsageMetadata(
            prompt_token_count=100, candidates_token_count=10
        ),
    )


def calls(*wanted: tuple[str, dict[str, Any]], saying: str = "") -> LlmResponse:
    """A turn of tool calls."""
    parts = [types.Part(text=saying)] if saying else []
    parts += [
        types.Part(function_call=types.FunctionCall(name=name, args=args)) for name, args in wanted
    ]
    return LlmResponse(content=types.Content(role="model", parts=parts))


class ScriptedDialogue:
    """What a test writes a script on, and reads what was asked."""

    def __init__(self, name: str) -> None:
        self.model = f"scripted/{name}"
        self.requests: list[LlmRequest] = []
        self.called = asyncio.Event()
        self._turns: deque[Turn] = deque()
        ScriptedModel.dialogues[self.model] = self

    def script(self, *turns: Turn) -> str:
        """The model's name, for `DeliberationInput.analyst`."""
        self._turns = deque(turns)
        return self.model

    def play(self, request: LlmRequest) -> Turn:
        self.requests.append(request)
        self.called.set()
        if not self._turns:
            msg = f"the script of {self.model} has run out: {prompt(request)[-200:]}"
            raise ValueError(msg)
        return self._turns.popleft()

    @property
    def prompts(self) -> list[str]:
        """The text of each request so far."""
        return [prompt(request) for request in self.requests]

    @property
    def left(self) -> int:
        return len(self._turns)


class ScriptedModel(BaseLlm):
    """Plays the dialogue that belongs to its name."""

    dialogues: ClassVar[dict[str, ScriptedDialogue]] = {}

    @classmethod
    def supported_models(cls) -> list[str]:
        return ["scripted/.+"]

    async def generate_content_async(
        self,
        llm_request: LlmRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the base class's signature
    ) -> AsyncGenerator[LlmResponse, None]:
        turn = self.dialogues[self.model].play(llm_request)
        if isinstance(turn, Exception):
            raise turn
        yield turn


def prompt(request: LlmRequest) -> str:
    """The text parts of a request's contents."""
    parts = [part for content in request.contents for part in content.parts or ()]
    return "\n".join(part.text for part in parts if part.text)

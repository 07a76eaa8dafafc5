"""`ollama/<model>`: a language model on an Ollama server, as ADK speaks to models.

Nothing is retried here: Temporal retries the activity. What no retry mends is `Refused`. A model
that cannot call tools is asked again without them, for it can still answer.
"""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any, Final

import httpx
from google.adk.models import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from ollama import AsyncClient, ChatResponse, ResponseError

from trimtab.adapters.ollama import ollama_wire as wire
from trimtab.contracts.ports import Refused, Unavailable

PREFIX: Final = "ollama/"
_NOT_FOUND = 404
_TOO_MANY = 429
_SERVER_FAULT = 500
_NO_TOOLS = "does not support tools"


class OllamaModel(BaseLlm):
    """One model on one server."""

    host: str = "http://127.0.0.1:11434"
    timeout: timedelta = timedelta(seconds=60)
    """For one answer."""
    context_tokens: int = 8192
    """Room for prompt and answer together; Ollama's own default cuts our prompts."""
    answer_tokens: int = 1024
    """Longest answer."""
    call_tokens: int = 256
    """Longest answer where tools are on offer: calls are short, and other words do not count."""

    @classmethod
    def supported_models(cls) -> list[str]:
        """ADK's own patterns for these names, so that ours takes their place."""
        return [r"ollama/gemma3.*", r"ollama/(?!gemma3).*"]

    async def generate_content_async(
        self,
        llm_request: LlmRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002 - the base class's signature
    ) -> AsyncGenerator[LlmResponse, None]:
        """One whole answer; raises `Unavailable` or `Refused`."""
        seconds = self.timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                answer = await self._chat(llm_request)
        except ConnectionError as error:
            msg = f"no Ollama server answers at {self.host}: start it with `ollama serve`"
            raise Unavailable(msg) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            msg = f"{self.model} did not answer within {seconds:g} s"
            raise Unavailable(msg) from error
        except httpx.TransportError as error:
            msg = f"the connection to Ollama at {self.host} broke: {error}"
            raise Unavailable(msg) from error
        except ResponseError as error:
            raise self._sorted(error) from error
        except ValueError as error:
            msg = f"what listens at {self.host} answers, but not as Ollama does"
            raise Unavailable(msg) from error
        yield wire.parse_response(answer)

    async def _chat(self, request: LlmRequest) -> ChatResponse:
        async with AsyncClient(host=self.host) as client:
            return await self._with_tools_if_it_can(client, request)

    async def _with_tools_if_it_can(self, client: AsyncClient, request: LlmRequest) -> ChatResponse:
        offered = wire.build_tools(request)
        try:
            return await self._send(client, request, tools=offered)
        except ResponseError as error:
            if offered and _NO_TOOLS in error.error:
                return await self._send(client, request, tools=[])
            raise

    async def _send(
        self, client: AsyncClient, request: LlmRequest, *, tools: list[dict[str, Any]]
    ) -> ChatResponse:
        return await client.chat(
            model=self._name,
            messages=wire.build_messages(request),
            tools=tools,
            format=wire.build_answer_format(request),
            options=wire.build_options(
                request,
                context_tokens=self.context_tokens,
                answer_tokens=self.call_tokens if wire.build_tools(request) else self.answer_tokens,
            ),
        )

    @property
    def _name(self) -> str:
        return self.model.removeprefix(PREFIX)

    def _sorted(self, error: ResponseError) -> Exception:
        if error.status_code == _NOT_FOUND:
            return Refused(
                f"Ollama at {self.host} has no model {self._name!r}: "
                f"get it with `ollama pull {self._name}`"
            )
        if error.status_code >= _SERVER_FAULT or error.status_code in {_TOO_MANY, -1}:
            return Unavailable(f"Ollama at {self.host} failed: {error}")
        return Refused(f"Ollama at {self.host} refused the request for {self._name!r}: {error}")


def make_ollama_class(address: str, *, seconds: timedelta) -> type[OllamaModel]:
    """The class for ADK's registry, which builds models from their names alone."""

    class OllamaModelThere(OllamaModel):
        host: str = address
        timeout: timedelta = seconds

    return OllamaModelThere

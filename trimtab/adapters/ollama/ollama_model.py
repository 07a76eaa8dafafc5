"""Calls a language model on an Ollama server, `ollama/<model>`, through ADK's interface.

Nothing is retried here: Temporal retries the activity. An error that no retry can correct is
`Refused`. A model that cannot call tools is asked again without them: it can still answer.
"""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

import httpx
from google.adk.models import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from ollama import AsyncClient, ChatResponse, ResponseError
from typing_extensions import override

from trimtab.adapters.ollama import ollama_wire as wire
from trimtab.contracts.ports import Refused, Unavailable

PREFIX: Final = "ollama/"
_NO_STATUS: Final = -1
"""Status of an error that came without one."""
_TOOLS_UNSUPPORTED: Final = "does not support tools"


class OllamaModel(BaseLlm):
    """One model on one server."""

    host: str = "http://127.0.0.1:11434"
    timeout: timedelta = timedelta(seconds=60)
    """Time for one answer."""
    context_tokens: int = 8192
    """Room for prompt and answer together; Ollama's own default cuts our prompts."""
    answer_tokens: int = 1024
    """Longest answer."""
    call_tokens: int = 256
    """Longest answer if tools are offered: calls are short, and other words do not count."""

    @classmethod
    @override
    def supported_models(cls) -> list[str]:
        """Return ADK's own patterns for these names, so that this class replaces ADK's."""
        return [r"ollama/gemma3.*", r"ollama/(?!gemma3).*"]

    @override
    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        """Yield one whole answer.

        Raises:
            Unavailable: The server does not answer in time, is busy, or the connection broke.
            Refused: The server has no such model, or rejects the request.
        """
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
            raise self._translate_error(error) from error
        except ValueError as error:
            msg = f"the server at {self.host} does not answer as Ollama does"
            raise Unavailable(msg) from error
        yield wire.parse_response(answer)

    async def _chat(self, request: LlmRequest) -> ChatResponse:
        async with AsyncClient(host=self.host) as client:
            return await self._call_with_tools(client, request)

    async def _call_with_tools(self, client: AsyncClient, request: LlmRequest) -> ChatResponse:
        offered = wire.translate_tools(request)
        try:
            return await self._send(client, request, tools=offered)
        except ResponseError as error:
            if offered and _TOOLS_UNSUPPORTED in error.error:
                return await self._send(client, request, tools=[])
            raise

    async def _send(
        self, client: AsyncClient, request: LlmRequest, *, tools: list[dict[str, Any]]
    ) -> ChatResponse:
        calls_tools = bool(wire.translate_tools(request))
        return await client.chat(
            model=self._name,
            messages=wire.build_messages(request),
            tools=tools,
            format=wire.build_answer_format(request),
            options=wire.build_options(
                request,
                context_tokens=self.context_tokens,
                answer_tokens=self.call_tokens if calls_tools else self.answer_tokens,
            ),
        )

    @property
    def _name(self) -> str:
        return self.model.removeprefix(PREFIX)

    def _translate_error(self, error: ResponseError) -> Exception:
        if error.status_code == HTTPStatus.NOT_FOUND:
            return Refused(
                f"Ollama at {self.host} has no model {self._name!r}: "
                f"get it with `ollama pull {self._name}`"
            )
        busy = {HTTPStatus.TOO_MANY_REQUESTS, _NO_STATUS}
        if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status_code in busy:
            return Unavailable(f"Ollama at {self.host} failed: {error}")
        return Refused(f"Ollama at {self.host} refused the request for {self._name!r}: {error}")


def make_ollama_class(address: str, *, answer_timeout: timedelta) -> type[OllamaModel]:
    """Return a class for ADK's registry, which builds models from their names alone.

    Args:
        address: The server.
        answer_timeout: Time for one answer.
    """

    class ConfiguredOllamaModel(OllamaModel):
        host: str = address
        timeout: timedelta = answer_timeout

    return ConfiguredOllamaModel

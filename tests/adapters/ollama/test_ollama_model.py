"""The Ollama adapter against a tiny server that answers what the test says."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.genai import types

from trimtab.adapters.ollama.ollama_model import OllamaModel, make_ollama_class
from trimtab.adapters.ollama.ollama_wire import MAX_ANSWER_CHARACTERS
from trimtab.contracts.deliberation import ReviewReply, TriageReply
from trimtab.contracts.ports import Refused, Unavailable

Answer = tuple[int, dict[str, Any] | str]
HEARD_WELL: dict[str, Any] = {
    "model": "tiny",
    "created_at": "2026-11-20T12:00:00Z",
    "message": {"role": "assistant", "content": "Yes."},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 120,
    "eval_count": 7,
}


class FakeOllama(ThreadingHTTPServer):
    """Plays a list of answers; the last one again and again."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[Answer] = [(200, HEARD_WELL)]
        self.requests: list[dict[str, Any]] = []
        self.released = threading.Event()
        self.slow = False

    @property
    def host(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: FakeOllama

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append({"path": self.path, **json.loads(body)})
        if self.server.slow:
            self.server.released.wait(10)
            return
        answers = self.server.answers
        status, answer = answers.pop(0) if len(answers) > 1 else answers[0]
        text = answer if isinstance(answer, str) else json.dumps(answer)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[FakeOllama]:
    with FakeOllama() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def said(content: str = "", **changes: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **changes.pop("message", {})}
    return {**HEARD_WELL, "message": message, **changes}


def a_request(**config: Any) -> LlmRequest:
    fields: dict[str, Any] = {"system_instruction": "Be brief.", "temperature": 0.0}
    return LlmRequest(
        model="ollama/tiny",
        contents=[types.UserContent("Is it grave?")],
        config=types.GenerateContentConfig(**{**fields, **config}),
    )


def the_tools() -> list[types.Tool]:
    schema = {
        "type": "object",
        "properties": {"feature": {"type": "string", "title": "Feature"}},
        "required": ["feature"],
    }
    declaration = types.FunctionDeclaration(
        name="inspect_feature", description="Looks closer.", parameters_json_schema=schema
    )
    return [types.Tool(function_declarations=[declaration])]


async def ask(host: str, request: LlmRequest, *, within: float = 5.0) -> LlmResponse:
    model = OllamaModel(model="ollama/tiny", host=host, timeout=timedelta(seconds=within))
    (response,) = [each async for each in model.generate_content_async(request)]
    return response


def text_of(response: LlmResponse) -> str:
    assert response.content is not None
    return "".join(part.text or "" for part in response.content.parts or ())


async def test_a_question_becomes_a_chat_with_the_instruction_first(server: FakeOllama) -> None:
    response = await ask(server.host, a_request())

    (sent,) = server.requests
    assert (sent["path"], sent["model"], sent["stream"]) == ("/api/chat", "tiny", False)
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Is it grave?"},
    ]
    assert text_of(response) == "Yes."
    assert response.finish_reason is types.FinishReason.STOP


async def test_lengths_are_always_said(server: FakeOllama) -> None:
    await ask(server.host, a_request(max_output_tokens=8192, seed=7))

    assert server.requests[0]["options"] == {
        "temperature": 0.0, "seed": 7, "num_ctx": 8192, "num_predict": 1024,
    }  # fmt: skip


async def test_used_tokens_are_counted(server: FakeOllama) -> None:
    usage = (await ask(server.host, a_request())).usage_metadata

    assert usage is not None
    assert (usage.prompt_token_count, usage.candidates_token_count) == (120, 7)


async def test_a_schema_becomes_the_format_of_the_answer(server: FakeOllama) -> None:
    await ask(server.host, a_request(response_schema=TriageReply))

    assert server.requests[0]["format"] == TriageReply.model_json_schema()


async def test_a_schema_in_genais_own_form_becomes_json_schema(server: FakeOllama) -> None:
    schema = types.Schema(
        type=types.Type.OBJECT,
        properties={"agrees": types.Schema(type=types.Type.BOOLEAN)},
        required=["agrees"],
    )

    await ask(server.host, a_request(response_schema=schema))

    assert server.requests[0]["format"] == {
        "type": "object", "properties": {"agrees": {"type": "boolean"}}, "required": ["agrees"],
    }  # fmt: skip


async def test_a_schema_survives_the_way_through_an_activity(server: FakeOllama) -> None:
    request = a_request(response_schema=ReviewReply.model_json_schema())
    travelled = LlmRequest.model_validate_json(request.model_dump_json(exclude_unset=True))

    await ask(server.host, travelled)

    assert server.requests[0]["format"] == ReviewReply.model_json_schema()


async def test_tools_are_offered_and_their_calls_come_back(server: FakeOllama) -> None:
    call = {"function": {"name": "inspect_feature", "arguments": {"feature": "Occupancy"}}}
    server.answers = [(200, said(message={"tool_calls": [call]}))]

    response = await ask(server.host, a_request(tools=the_tools()))

    offered = server.requests[0]["tools"][0]["function"]
    assert (offered["name"], offered["description"]) == ("inspect_feature", "Looks closer.")
    assert offered["parameters"]["required"] == ["feature"]
    assert response.content is not None
    part = (response.content.parts or [])[0]
    assert part.function_call is not None
    assert (part.function_call.name, part.function_call.args) == (
        "inspect_feature", {"feature": "Occupancy"},
    )  # fmt: skip


async def test_calls_are_kept_short(server: FakeOllama) -> None:
    await ask(server.host, a_request(tools=the_tools()))

    assert server.requests[0]["options"]["num_predict"] == 256


async def test_calls_and_their_results_are_part_of_the_next_turn(server: FakeOllama) -> None:
    request = a_request()
    request.contents += [
        types.ModelContent(
            [types.Part(function_call=types.FunctionCall(name="read", args={"id": "a"}))]
        ),
        types.UserContent(
            [types.Part(function_response=types.FunctionResponse(name="read", response={"r": 1}))]
        ),
    ]

    await ask(server.host, request)

    assert server.requests[0]["messages"][2:] == [
        {
            "role": "assistant",
            "tool_calls": [{"function": {"name": "read", "arguments": {"id": "a"}}}],
        },
        {"role": "tool", "tool_name": "read", "content": '{"r": 1}'},
    ]


async def test_a_model_that_cannot_call_tools_is_asked_without_them(server: FakeOllama) -> None:
    server.answers = [
        (400, {"error": "registry.ollama.ai/library/tiny:latest does not support tools"}),
        (200, said("No tools, but: done")),
    ]

    response = await ask(server.host, a_request(tools=the_tools()))

    assert text_of(response) == "No tools, but: done"
    assert [bool(sent.get("tools")) for sent in server.requests] == [True, False]


async def test_a_model_that_is_not_there_is_refused_with_the_remedy(server: FakeOllama) -> None:
    server.answers = [(404, {"error": "model 'tiny' not found"})]

    with pytest.raises(Refused, match="`ollama pull tiny`"):
        await ask(server.host, a_request())


async def test_a_bad_request_is_refused(server: FakeOllama) -> None:
    server.answers = [(400, {"error": "invalid options"})]

    with pytest.raises(Refused, match="invalid options"):
        await ask(server.host, a_request())
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_in_trouble_may_be_asked_again_but_not_by_us(
    server: FakeOllama, status: int
) -> None:
    server.answers = [(status, {"error": "out of memory"})]

    with pytest.raises(Unavailable, match="out of memory"):
        await ask(server.host, a_request())
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [{"done": True}, "<html>Welcome</html>", '{"message": 3}'])
async def test_an_answer_in_no_known_form_is_an_error_and_no_conclusion(
    server: FakeOllama, answer: dict[str, Any] | str
) -> None:
    server.answers = [(200, answer)]

    with pytest.raises(Unavailable, match="does not answer as Ollama does"):
        await ask(server.host, a_request())


async def test_no_server_may_be_asked_again_and_the_remedy_is_said() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{unused.getsockname()[1]}"

        with pytest.raises(Unavailable, match="`ollama serve`"):
            await ask(host, a_request())


async def test_a_server_that_says_nothing_is_given_up(server: FakeOllama) -> None:
    server.slow = True

    with pytest.raises(Unavailable, match=r"within 0\.2 s"):
        await ask(server.host, a_request(), within=0.2)


async def test_an_empty_answer_has_no_parts(server: FakeOllama) -> None:
    server.answers = [(200, said("  \n"))]

    response = await ask(server.host, a_request())

    assert response.content is not None
    assert response.content.parts == []


async def test_an_enormous_answer_is_cut(server: FakeOllama) -> None:
    server.answers = [(200, said("x" * 1_000_000, done_reason="length"))]

    response = await ask(server.host, a_request())

    assert len(text_of(response)) == MAX_ANSWER_CHARACTERS
    assert response.finish_reason is types.FinishReason.MAX_TOKENS


def test_the_registry_builds_models_that_know_their_server() -> None:
    there = make_ollama_class("http://10.1.1.1:11434", answer_timeout=timedelta(seconds=9))

    model = there(model="ollama/tiny")

    assert (model.host, model.timeout) == ("http://10.1.1.1:11434", timedelta(seconds=9))

import json
from collections.abc import AsyncIterator

import ollama as ollama_client
import pytest

from tests.e2e.ollama_server import PLAIN_MODEL, TOOLS_MODEL, find_installation

QUESTION = [{"role": "user", "content": "Is the drift a, or b? Answer in JSON."}]
SCHEMA = {
    "type": "object",
    "properties": {"cause": {"enum": ["a", "b"]}, "confidence": {"type": "number"}},
    "required": ["cause", "confidence"],
}
TOOL = {
    "type": "function",
    "function": {
        "name": "inspect_feature",
        "description": "Look closer at one feature.",
        "parameters": {"type": "object", "properties": {"feature": {"type": "string"}}},
    },
}


@pytest.fixture
async def client(ollama: str) -> AsyncIterator[ollama_client.AsyncClient]:
    client = ollama_client.AsyncClient(host=ollama, timeout=200)
    yield client
    await client.close()  # type: ignore[no-untyped-call]  # ollama left it untyped


async def test_a_reply_has_the_form_of_the_schema_that_was_asked_for(
    client: ollama_client.AsyncClient,
) -> None:
    reply = await client.chat(
        model=TOOLS_MODEL, messages=QUESTION, format=SCHEMA, options={"num_predict": 100}
    )

    assert json.loads(reply.message.content or "")["cause"] in {"a", "b"}
    assert reply.eval_count


async def test_a_request_with_tools_is_taken_by_a_model_whose_template_mentions_them(
    client: ollama_client.AsyncClient,
) -> None:
    reply = await client.chat(
        model=TOOLS_MODEL, messages=QUESTION, tools=[TOOL], options={"num_predict": 20}
    )

    assert reply.done


async def test_a_request_with_tools_is_refused_by_a_model_whose_template_does_not_mention_them(
    client: ollama_client.AsyncClient,
) -> None:
    with pytest.raises(ollama_client.ResponseError, match="does not support tools") as refusal:
        await client.chat(model=PLAIN_MODEL, messages=QUESTION, tools=[TOOL])

    assert refusal.value.status_code == 400


def test_without_a_server_the_tests_are_skipped_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRIMTAB_TEST_OLLAMA", "nowhere/ollama")
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match=r"build-ollama"):
        find_installation()


def test_without_a_server_the_tests_fail_in_continuous_integration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRIMTAB_TEST_OLLAMA", "nowhere/ollama")
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match=r"nowhere/ollama"):
        find_installation()

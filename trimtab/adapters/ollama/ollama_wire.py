"""Translates between ADK's requests and Ollama's chat: messages, tools, schema, options, answer."""

import json
from collections.abc import Iterator
from typing import Any, Final

from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.genai import types
from ollama import ChatResponse
from pydantic import BaseModel

MAX_ANSWER_CHARACTERS: Final = 64_000
"""Length to which an answer is cut; a longer one will not be valid JSON."""


def build_messages(request: LlmRequest) -> list[dict[str, Any]]:
    """Return the conversation, the system instruction first."""
    instruction = _extract_text(request.config.system_instruction)
    system = [{"role": "system", "content": instruction}] if instruction else []
    turns = [message for content in request.contents for message in _build_turn(content)]
    return [*system, *turns]


def translate_tools(request: LlmRequest) -> list[dict[str, Any]]:
    """Return the functions that the model may call."""
    return [
        {
            "type": "function",
            "function": {
                "name": declaration.name,
                "description": declaration.description or "",
                "parameters": _build_parameters(declaration),
            },
        }
        for tool in request.config.tools or ()
        if isinstance(tool, types.Tool)
        for declaration in tool.function_declarations or ()
    ]


def build_answer_format(request: LlmRequest) -> dict[str, Any] | None:
    """Return the JSON schema of the answer, or None; Ollama obeys its shape, not its bounds."""
    schema = request.config.response_schema or request.config.response_json_schema
    return None if schema is None else _build_json_schema(schema)


def build_options(
    request: LlmRequest, *, context_tokens: int, answer_tokens: int
) -> dict[str, Any]:
    """Return sampling options; lengths are always set, because Ollama cuts long prompts silently.

    Args:
        request: ADK's request.
        context_tokens: Room for prompt and answer together.
        answer_tokens: Longest answer.
    """
    config = request.config
    wanted = {
        "temperature": config.temperature,
        "top_p": config.top_p,
        "top_k": None if config.top_k is None else int(config.top_k),
        "seed": config.seed,
        "stop": config.stop_sequences,
        "num_ctx": context_tokens,
        "num_predict": min(config.max_output_tokens or answer_tokens, answer_tokens),
    }
    return {name: value for name, value in wanted.items() if value is not None}


def parse_response(answer: ChatResponse) -> LlmResponse:
    """Return ADK's response: text first, then calls."""
    text = (answer.message.content or "")[:MAX_ANSWER_CHARACTERS]
    parts = [types.Part(text=text)] if text.strip() else []
    for call in answer.message.tool_calls or ():
        arguments = dict(call.function.arguments)
        parts.append(
            types.Part(function_call=types.FunctionCall(name=call.function.name, args=arguments))
        )
    prompt, answered = answer.prompt_eval_count or 0, answer.eval_count or 0
    return LlmResponse(
        content=types.Content(role="model", parts=parts),
        finish_reason=(
            types.FinishReason.MAX_TOKENS
            if answer.done_reason == "length"
            else types.FinishReason.STOP
        ),
        usage_metadata=types.GenerateContentResponseUsageMetadata(
            prompt_token_count=prompt,
            candidates_token_count=answered,
            total_token_count=prompt + answered,
        ),
        model_version=answer.model,
    )


def _build_turn(content: types.Content) -> Iterator[dict[str, Any]]:
    parts = content.parts or []
    role = "assistant" if content.role == "model" else "user"
    text = "\n".join(part.text for part in parts if part.text and not part.thought)
    calls = [part.function_call for part in parts if part.function_call]
    if text or calls:
        message: dict[str, Any] = {"role": role, "content": text}
        if calls:
            message["tool_calls"] = [
                {"function": {"name": call.name or "", "arguments": call.args or {}}}
                for call in calls
            ]
        yield message
    for part in parts:
        if part.function_response is not None:
            yield {
                "role": "tool",
                "tool_name": part.function_response.name or "",
                "content": json.dumps(part.function_response.response, ensure_ascii=False),
            }


def _extract_text(instruction: object) -> str:
    if instruction is None or isinstance(instruction, str):
        return instruction or ""
    if isinstance(instruction, types.Content):
        return "\n".join(part.text for part in instruction.parts or () if part.text)
    msg = f"a system instruction of type {type(instruction).__name__} cannot be sent to Ollama"
    raise ValueError(msg)


def _build_parameters(declaration: types.FunctionDeclaration) -> dict[str, Any]:
    schema = declaration.parameters_json_schema or declaration.parameters
    return {"type": "object", "properties": {}} if schema is None else _build_json_schema(schema)


def _build_json_schema(schema: object) -> dict[str, Any]:
    if isinstance(schema, dict):
        return schema
    if isinstance(schema, types.Schema):
        return schema.json_schema.model_dump(mode="json", exclude_none=True, by_alias=True)
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return schema.model_json_schema()
    msg = f"a schema of type {type(schema).__name__} cannot be sent to Ollama"
    raise ValueError(msg)

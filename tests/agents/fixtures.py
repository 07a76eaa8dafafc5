"""Fixtures for whoever lets agents speak in a test: scripted models, and no live ones."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from google.adk.models import BaseLlm, LLMRegistry

from agents.models import register_models
from tests.agents.scripted import ScriptedDialogue, ScriptedModel

NOWHERE = "http://127.0.0.1:9"
"""The discard port: nobody answers there."""


@pytest.fixture(autouse=True)
def no_live_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Models of this machine only: a test that would call out fails instead."""
    register_models(ollama_host=NOWHERE, timeout=timedelta(seconds=5))
    LLMRegistry.register(ScriptedModel)
    allowed = LLMRegistry.new_llm

    def only_ours(model: str) -> BaseLlm:
        if not re.match(r"(analyst|ollama|scripted)/", model):
            pytest.fail(f"a test wanted to call {model!r}: script it instead")
        return allowed(model)

    monkeypatch.setattr(LLMRegistry, "new_llm", only_ours)
    yield
    ScriptedModel.dialogues.clear()


@pytest.fixture
def dialogue(request: pytest.FixtureRequest) -> ScriptedDialogue:
    """A model with a script of its own."""
    return ScriptedDialogue(re.sub(r"\W", "-", request.node.name))

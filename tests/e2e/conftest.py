"""Fixtures of the tests that need real servers."""

from tests.e2e.ollama_server import ollama as ollama  # noqa: PLC0414 - pytest finds it by this name

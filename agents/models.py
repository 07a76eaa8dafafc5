"""Tells ADK which class answers for which model name; called once when a worker starts.

`analyst/rules` and `ollama/<model>` are ours, `gemini-…` is ADK's own.
"""

from datetime import timedelta

from google.adk.models import LLMRegistry

from agents.analyst.rule_analyst import RuleAnalyst
from trimtab.adapters.ollama.ollama_model import make_ollama_class


def register_models(*, ollama_host: str, timeout: timedelta) -> None:
    """Register our models.

    Args:
        ollama_host: Address of the Ollama server, such as http://127.0.0.1:11434.
        timeout: Timeout of one model call.
    """
    LLMRegistry.register(RuleAnalyst)
    LLMRegistry.register(make_ollama_class(ollama_host, answer_timeout=timeout))

"""Limits the investigator's tool calls: their number, their arguments, and what is kept of them."""

# ruff: noqa: ARG002 - ADK passes every argument of a callback by name

import asyncio
from typing import Any, Final

from google.adk.agents.callback_context import CallbackContext
from google.adk.models.llm_response import LlmResponse
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.tool_context import ToolContext
from temporalio.exceptions import is_cancelled_exception

from agents.case import Case
from agents.fence import fence
from trimtab.contracts.evidence import EvidenceItem

MAX_TOOL_CALLS: Final = 4
"""Number of tool calls after which no further one is answered."""
DONE: Final = "done"
"""Word by which a model says that it needs no further turn."""
_SHOWN_FIELDS: Final = {"id", "source", "statement", "value"}
"""Fields of an evidence item that the model is shown; the others are for code."""


class ToolBudget:
    """Counts the calls of one deliberation, refuses invalid ones, and keeps their results."""

    def __init__(self, case: Case) -> None:
        self.calls = 0
        self._done = False
        self._found: dict[str, EvidenceItem] = {}
        self._known = {
            "feature": set(case.columns),
            "document_id": {document.id for document in case.data.pack.documents},
        }

    @property
    def found(self) -> tuple[EvidenceItem, ...]:
        """The evidence found, in the order of the calls, each item once."""
        return tuple(self._found.values())

    def note_words(
        self, callback_context: CallbackContext, llm_response: LlmResponse
    ) -> LlmResponse | None:
        """Note whether the model said that it needs no further turn."""
        parts = (llm_response.content and llm_response.content.parts) or ()
        words = " ".join(part.text or "" for part in parts if not part.thought)
        self._done = words.strip(" .!\"'\n").lower().endswith(DONE)
        return None

    def check_call(
        self, tool: BaseTool, args: dict[str, Any], tool_context: ToolContext
    ) -> dict[str, Any] | None:
        """Return an error instead of a call if the arguments are invalid or the budget is spent.

        `skip_summarization` ends the agent's turn after this call.
        """
        self.calls += 1
        if self._done or self.calls >= MAX_TOOL_CALLS:
            tool_context.actions.skip_summarization = True
        if self.calls > MAX_TOOL_CALLS:
            return {"error": f"no further call is answered: at most {MAX_TOOL_CALLS} are allowed"}
        return self._find_invalid_argument(args)

    def keep_result(
        self,
        tool: BaseTool,
        args: dict[str, Any],
        tool_context: ToolContext,
        tool_response: dict[str, Any],
    ) -> dict[str, Any] | None:
        """Keep the evidence, and show it to the model as fenced data."""
        if "error" in tool_response:
            return None
        item = EvidenceItem.model_validate(tool_response)
        self._found[item.id] = item
        shown = item.model_dump(mode="json", include=_SHOWN_FIELDS, exclude_none=True)
        return {"result": fence(shown)}

    def excuse_error(
        self, tool: BaseTool, args: dict[str, Any], tool_context: ToolContext, error: Exception
    ) -> dict[str, Any] | None:
        """Let the model continue without a call that failed; a cancellation is raised."""
        if is_cancelled_exception(error):
            raise asyncio.CancelledError from error
        return {"error": f"{tool.name} has no answer: continue without it"}

    def _find_invalid_argument(self, args: dict[str, Any]) -> dict[str, Any] | None:
        for name, value in args.items():
            known = self._known.get(name)
            if not isinstance(value, str) or (known is not None and value not in known):
                return {
                    "error": f"there is no such {name}: use one from the case, as it is written"
                }
        return None

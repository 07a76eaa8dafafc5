"""The bounds of looking closer: how often, at what, and what is kept of it."""

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

MOST_LOOKS: Final = 4
"""Tool calls after which looking ends, whatever the model would like."""
DONE: Final = "done"
"""What a model says when it needs no further turn."""


class Looks:
    """Counts the calls of one deliberation, refuses nonsense, and keeps what was found."""

    def __init__(self, case: Case) -> None:
        self.calls = 0
        self._done = False
        self._found: dict[str, EvidenceItem] = {}
        self._known = {
            "feature": set(case.columns),
            "document_id": {document.id for document in case.data.pack.documents},
        }

    def heard(
        self, callback_context: CallbackContext, llm_response: LlmResponse
    ) -> LlmResponse | None:
        """Whether the model said that it needs no further turn."""
        parts = (llm_response.content and llm_response.content.parts) or ()
        words = " ".join(part.text or "" for part in parts if not part.thought)
        self._done = words.strip(" .!\"'\n").lower().endswith(DONE)
        return None

    @property
    def found(self) -> tuple[EvidenceItem, ...]:
        """The evidence, in the order of looking, each item once."""
        return tuple(self._found.values())

    def before(
        self, tool: BaseTool, args: dict[str, Any], tool_context: ToolContext
    ) -> dict[str, Any] | None:
        """An answer instead of a call: for what does not exist, or when there were enough."""
        self.calls += 1
        if self._done or self.calls >= MOST_LOOKS:
            tool_context.actions.skip_summarization = True
        if self.calls > MOST_LOOKS:
            return {"error": f"{MOST_LOOKS} calls are enough: no further call is answered"}
        return self._nonsense(args)

    def after(
        self,
        tool: BaseTool,
        args: dict[str, Any],
        tool_context: ToolContext,
        tool_response: dict[str, Any],
    ) -> dict[str, Any] | None:
        """Keeps the evidence, and shows it to the model as data."""
        if "error" in tool_response:
            return None
        item = EvidenceItem.model_validate(tool_response)
        self._found[item.id] = item
        return {"result": fence(item.model_dump(mode="json", exclude_none=True))}

    def excuse(
        self, tool: BaseTool, args: dict[str, Any], tool_context: ToolContext, error: Exception
    ) -> dict[str, Any] | None:
        """A look that failed is no reason to fail: the model goes on without it."""
        if is_cancelled_exception(error):
            raise asyncio.CancelledError from error
        return {"error": f"{tool.name} has no answer: go on without it"}

    def _nonsense(self, args: dict[str, Any]) -> dict[str, Any] | None:
        for name, value in args.items():
            known = self._known.get(name)
            if not isinstance(value, str) or (known is not None and value not in known):
                return {
                    "error": f"there is no such {name}: use one from the case, as it is written"
                }
        return None

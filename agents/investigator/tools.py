"""The investigator's tools, as the model reads of them.

The functions here are declarations. Workers run `activities.inspection.InspectionActivities`
under the same names; the declaration keeps ADK out of `activities`. The model fills in the first
arguments only: model and window come from the session's state, which nothing it says can change.
"""

from collections.abc import Callable, Mapping
from typing import Any

from temporalio import activity
from temporalio.google_adk.workflow import ToolContextSnapshot, activity_as_tool

from activities.inspection import InspectionTarget
from trimtab.contracts.deliberation import DeliberationInput


@activity.defn
async def inspect_feature(  # noqa: D417 - the model does not see the context
    feature: str, tool_context: ToolContextSnapshot
) -> dict[str, Any]:
    """Compares one column's values in the reference window with those in the current window.

    Args:
        feature: The column's name, exactly as it is written in the case.
    """
    raise NotImplementedError


@activity.defn
async def inspect_segment(  # noqa: D417 - as above
    feature: str, segment: str, tool_context: ToolContextSnapshot
) -> dict[str, Any]:
    """Measures the champion on the rows of one category only, then and now.

    Args:
        feature: A categorical column's name, exactly as it is written in the case.
        segment: One value of that column.
    """
    raise NotImplementedError


@activity.defn
async def read_document(  # noqa: D417 - as above
    document_id: str, tool_context: ToolContextSnapshot
) -> dict[str, Any]:
    """Reads more of one runbook or past incident.

    Args:
        document_id: The document's id, exactly as it is written in the case.
    """
    raise NotImplementedError


def tools(looking: Mapping[str, Any]) -> list[Callable[..., Any]]:
    """The tools as activities with these options."""
    return [
        activity_as_tool(inspect_feature, **{**looking, "summary": "investigator: one column"}),
        activity_as_tool(inspect_segment, **{**looking, "summary": "investigator: one segment"}),
        activity_as_tool(read_document, **{**looking, "summary": "investigator: one document"}),
    ]


def session_state(data: DeliberationInput) -> dict[str, Any]:
    """What every tool is told beside the model's words."""
    current = data.event.data.current
    subject = InspectionTarget(model=data.spec.name, start=current.start, end=current.end)
    return subject.model_dump(mode="json")

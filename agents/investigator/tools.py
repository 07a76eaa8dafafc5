"""Declares the investigator's tools as the model reads about them.

The functions here are declarations. Workers run `activities.inspection.InspectionActivities` under
the same names; the declarations keep ADK out of `activities`. The model fills in the first
arguments only: model and window come from the session's state, which no word of the model changes.
"""

# ruff: noqa: D417 - the model reads these docstrings, and does not see the context

from collections.abc import Callable, Mapping
from typing import Any

from temporalio import activity
from temporalio.google_adk.workflow import ToolContextSnapshot, activity_as_tool

from activities.inspection import InspectionTarget
from trimtab.contracts.deliberation import DeliberationInput


@activity.defn
async def inspect_feature(feature: str, tool_context: ToolContextSnapshot) -> dict[str, Any]:
    """Compare one column's values in the reference window with those in the current window.

    Args:
        feature: The column's name, exactly as it is written in the case.
    """
    raise NotImplementedError


@activity.defn
async def inspect_segment(
    feature: str, segment: str, tool_context: ToolContextSnapshot
) -> dict[str, Any]:
    """Measure the champion on the rows of one category only, before and now.

    Args:
        feature: A categorical column's name, exactly as it is written in the case.
        segment: One value of that column.
    """
    raise NotImplementedError


@activity.defn
async def read_document(document_id: str, tool_context: ToolContextSnapshot) -> dict[str, Any]:
    """Read more of one runbook or past incident.

    Args:
        document_id: The document's id, exactly as it is written in the case.
    """
    raise NotImplementedError


_built: list[tuple[dict[str, Any], list[Callable[..., Any]]]] = []
"""The tools of the last options. ADK keeps what it derives from a tool by the tool's identity."""


def build_tools(options: Mapping[str, Any]) -> list[Callable[..., Any]]:
    """Return the tools as activities with these options: the same ones for equal options."""
    if not _built or _built[0][0] != options:
        _built[:] = [(dict(options), _wrap_tools(options))]
    return _built[0][1]


def _wrap_tools(options: Mapping[str, Any]) -> list[Callable[..., Any]]:
    return [
        activity_as_tool(inspect_feature, **{**options, "summary": "investigator: one column"}),
        activity_as_tool(inspect_segment, **{**options, "summary": "investigator: one segment"}),
        activity_as_tool(read_document, **{**options, "summary": "investigator: one document"}),
    ]


def build_session_state(data: DeliberationInput) -> dict[str, Any]:
    """Return what every tool receives beside the model's arguments."""
    current = data.event.data.current
    target = InspectionTarget(model=data.spec.name, start=current.start, end=current.end)
    return target.model_dump(mode="json")

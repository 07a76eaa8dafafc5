"""Runs the true pipelines in this process, node by node, over datasets in memory.

Which nodes there are, and in which order, the pipelines say themselves: a new node needs no change
here, a new dataset of the catalog does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pandas as pd
from kedro.pipeline import Pipeline
from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from evals.play.memory_registry import MemoryModels, MemoryRegistry
from trimtab.contracts.fitted import FittedModel
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.monitoring import Announcement
from trimtab.pipelines.pipeline_registry import register_pipelines
from trimtab.pipelines.requests import read_request

_MODEL_DATASETS = frozenset({"registered_model", "new_version", "watched_model"})


class MemoryAnnouncements:
    """The announcements of one model."""

    def __init__(self) -> None:
        self._made: list[Announcement] = []

    def find_recent(
        self, duration: timedelta, *, until: datetime, subject: str
    ) -> Sequence[Announcement]:
        """Return those of a subject within the duration that ends at `until`."""
        return [
            each
            for each in self._made
            if each.subject == subject and until - duration < each.as_of <= until
        ]

    def record(self, announcement: Announcement | None) -> None:
        """Keep an announcement, if there is one."""
        if announcement is not None:
            self._made.append(announcement)


class MemoryPipelines:
    """The port `PipelineRunner`; `history` holds the rows that exist at the present time."""

    def __init__(self, spec: ModelSpec, registry: MemoryRegistry) -> None:
        self.history = pd.DataFrame()
        self._spec = spec
        self._registry = registry
        self._announcements = MemoryAnnouncements()
        self._profiles = 0

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Run a pipeline and return its report."""
        return self.execute(pipeline, params)

    def execute(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Run a pipeline and return its report; blocks."""
        read_request(pipeline, params)
        values: dict[str, Any] = {
            "parameters": dict(params),
            "history": self.history,
            "model_spec": self._spec,
            "announcements": self._announcements,
            **dict.fromkeys(_MODEL_DATASETS, MemoryModels(self._registry)),
        }
        for node in list_pipelines()[pipeline].nodes:
            outputs = node.run({name: values[name] for name in node.inputs})
            for name, value in outputs.items():
                values[name] = self._save(name, value)
        report: dict[str, JsonValue] = to_jsonable_python(values["report"])
        return report

    def _save(self, name: str, value: Any) -> Any:  # noqa: ANN401 - datasets hold anything
        """Return what loading the dataset gives after saving the value."""
        if name in _MODEL_DATASETS:
            if isinstance(value, FittedModel):
                self._registry.register(value)
            return MemoryModels(self._registry)
        if name == "window_profile":
            self._profiles += 1
            self._registry.note_window(value["tags"])
            return f"runs:/window-{self._profiles}/profile.json"
        if name == "announcement":
            self._announcements.record(value["announcement"] or value.get("note"))
        return value


@cache
def list_pipelines() -> Mapping[str, Pipeline]:
    """Return every pipeline by its name."""
    return register_pipelines()

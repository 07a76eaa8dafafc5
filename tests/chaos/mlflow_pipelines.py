"""Pipelines that train nothing: a retraining makes a version in a real MLflow, by its key."""

import asyncio
from collections.abc import Mapping

from pydantic import JsonValue

from tests.fakes import build_evaluation
from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.adapters.registry.tracking import open_tracking
from trimtab.contracts.tags import EFFECT_KEY_TAG
from trimtab.runtime.settings import Settings


class MlflowPipelines:
    """Answers by slice and version; looks for the key before it makes a version, as ours do."""

    def __init__(
        self,
        metrics: Mapping[str, Mapping[str, float]],
        *,
        registry: MlflowRegistry,
        settings: Settings,
    ) -> None:
        self._metrics = metrics
        self._registry = registry
        self._settings = settings

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        if pipeline == "retraining":
            return await asyncio.to_thread(self._retrain, str(params["model"]), str(params["key"]))
        if pipeline == "preview":
            gate = build_evaluation(self._metrics.get("gate", {}), baseline="1", challenger="")
            return {**gate, "champion": "1", "window_rows": 3000, "refusal": ""}
        values = self._metrics.get(str(params["slice"]), {})
        wanted = params["versions"]
        assert isinstance(wanted, list)
        chosen = {version: value for version, value in values.items() if version in wanted}
        return build_evaluation(chosen, baseline=params.get("baseline"))

    def _retrain(self, model: str, key: str) -> dict[str, JsonValue]:
        made = self._registry.find_version(model, key=key)
        version = self._make_version(model, key) if made is None else made.version
        return {"version": version, "reused": made is not None, "rows": 9000}

    def _make_version(self, model: str, key: str) -> str:
        client = open_tracking(self._settings)
        made = client.create_model_version(model, "runs:/x", tags={EFFECT_KEY_TAG: key})
        return str(made.version)

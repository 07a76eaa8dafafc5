"""Keeps a window's profile, metrics and finding as an MLflow run."""

from typing import Any, Final

from kedro.io import AbstractDataset, DatasetError
from pydantic import JsonValue
from typing_extensions import override

from trimtab.adapters.registry.tracking import (
    get_or_create_experiment,
    open_tracking,
    translate_mlflow_errors,
)
from trimtab.contracts.names import build_experiment_name
from trimtab.runtime.settings import load_settings

PROFILE_FILE: Final = "profile.json"
FINDING_FILE: Final = "finding.json"


class WindowProfileDataset(AbstractDataset[dict[str, JsonValue], str]):
    """Runs in the experiment `trimtab/MODEL/monitoring`.

    What is saved holds `profile` and `finding` (artifacts; the latter may be None), and `metrics`
    and `tags` of the run.
    """

    def __init__(self, *, model: str, metadata: dict[str, Any] | None = None) -> None:
        self._model = model
        self._uri: str | None = None
        self.metadata = metadata

    @override
    def save(self, data: dict[str, Any]) -> None:
        """Keep everything as a new, finished run."""
        settings = load_settings()
        client = open_tracking(settings)
        with translate_mlflow_errors():
            name = build_experiment_name(self._model, "monitoring")
            experiment = get_or_create_experiment(client, name, settings=settings)
            run = client.create_run(experiment, tags=data["tags"])
            client.log_dict(run.info.run_id, data["profile"], PROFILE_FILE)
            if data.get("finding") is not None:
                client.log_dict(run.info.run_id, data["finding"], FINDING_FILE)
            for metric, value in data["metrics"].items():
                client.log_metric(run.info.run_id, metric, value)
            client.set_terminated(run.info.run_id)
        self._uri = f"runs:/{run.info.run_id}/{PROFILE_FILE}"

    @override
    def load(self) -> str:
        """Return the URI of the profile that was saved before, in the same run of the pipeline."""
        if self._uri is None:
            msg = "no window profile has been saved in this run"
            raise DatasetError(msg)
        return self._uri

    @override
    def _describe(self) -> dict[str, Any]:
        return {"model": self._model}

"""A window's profile, metrics and finding as an MLflow run: loaded, it tells the profile's URI."""

from typing import Any

from kedro.io import AbstractDataset, DatasetError
from pydantic import JsonValue

from trimtab.adapters.registry.tracking import experiment_id, faults_sorted, open_tracking
from trimtab.contracts.names import build_experiment_name
from trimtab.runtime.settings import load_settings

PROFILE_FILE = "profile.json"
FINDING_FILE = "finding.json"


class WindowProfileDataset(AbstractDataset[dict[str, JsonValue], str]):
    """Runs in the experiment `trimtab/MODEL/monitoring`.

    What is saved holds `profile` and `finding` (artifacts; the latter may be None), and `metrics`
    and `tags` of the run.
    """

    def __init__(self, *, model: str, metadata: dict[str, Any] | None = None) -> None:
        self._model = model
        self._uri: str | None = None
        self.metadata = metadata

    def save(self, data: dict[str, Any]) -> None:
        """Keep it as a finished run of its own."""
        settings = load_settings()
        client = open_tracking(settings)
        with faults_sorted():
            name = build_experiment_name(self._model, "monitoring")
            experiment = experiment_id(client, name, settings=settings)
            run = client.create_run(experiment, tags=data["tags"])
            client.log_dict(run.info.run_id, data["profile"], PROFILE_FILE)
            if data.get("finding") is not None:
                client.log_dict(run.info.run_id, data["finding"], FINDING_FILE)
            for metric, value in data["metrics"].items():
                client.log_metric(run.info.run_id, metric, value)
            client.set_terminated(run.info.run_id)
        self._uri = f"runs:/{run.info.run_id}/{PROFILE_FILE}"

    def load(self) -> str:
        """The URI of what was saved before, in the same run of the pipeline."""
        if self._uri is None:
            msg = "no window profile has been saved in this run"
            raise DatasetError(msg)
        return self._uri

    def _describe(self) -> dict[str, Any]:
        return {"model": self._model}

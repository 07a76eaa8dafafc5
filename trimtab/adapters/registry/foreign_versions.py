"""Versions that were made elsewhere, with what monitoring needs of them kept beside.

A baseline is an MLflow run of its own, found by its tags: the version stays as it is.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any, Final

import mlflow
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient
from pydantic import JsonValue

from trimtab.adapters.registry.foreign_model import load_foreign
from trimtab.adapters.registry.tracking import experiment_id, faults_sorted
from trimtab.adapters.registry.version_files import log_files, read_companion, read_frame, read_json
from trimtab.contracts.fitted import RECORDED_FILE, Baseline, ServedModel
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.names import experiment_name
from trimtab.contracts.ports import Refused
from trimtab.contracts.tags import TRAINED_ROWS, promoted_by
from trimtab.detection.onboarding.predictions import Recorded
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import load_model
from trimtab.runtime.settings import Settings

VERSION: Final = "trimtab.baseline.version"
"""On a baseline's run: the version it is about."""
KEY: Final = "trimtab.baseline.key"
"""On a baseline's run: digest of the configuration that it was measured under."""
_KEPT: Final = 8

Artifact = Callable[[str], dict[str, JsonValue]]


class ForeignVersions:
    """Those of one registered model; baselines are in the experiment `trimtab/MODEL/baselines`."""

    def __init__(
        self, model: str, *, settings: Settings, client: MlflowClient, trusted_types: Iterable[str]
    ) -> None:
        self._model = model
        self._settings = settings
        self._client = client
        self._trusted = frozenset(trusted_types)

    def served(self, found: ModelVersion) -> ServedModel:
        """The version; what it lacks comes from its newest baseline, where there is one."""
        kept = self._newest(str(found.version))
        run_id = kept.info.run_id if kept else ""
        uri = self._settings.tracking_uri
        artifact = partial(read_json, uri, run_id) if kept else _none_kept
        return ServedModel(
            version=str(found.version),
            run_id=run_id,
            metrics=dict(kept.data.metrics) if kept else {},
            tags=dict(found.tags),
            load=partial(self._load, found, artifact),
            artifact=artifact,
            frame=partial(read_frame, uri, run_id) if kept else _none_kept,
            companion=partial(read_companion, uri, run_id) if kept else _none_kept,
            foreign=True,
            baseline=kept.data.tags.get(KEY) if kept else None,
        )

    def keep(self, baseline: Baseline) -> None:
        """Keep it as a finished run of its own; an unfinished one is never found again."""
        with faults_sorted():
            experiment = experiment_id(self._client, self._experiment, settings=self._settings)
            tags = {VERSION: baseline.version, KEY: baseline.key}
            with mlflow.start_run(experiment_id=experiment, tags=tags):
                mlflow.log_metrics(dict(baseline.metrics))
                log_files(baseline)

    @property
    def _experiment(self) -> str:
        return experiment_name(self._model, "baselines")

    def _newest(self, version: str | None = None) -> Run | None:
        """The newest baseline, of the version or of any."""
        of_version = f"tags.`{VERSION}` = '{version}' and " if version else ""
        with faults_sorted():
            experiment = self._client.get_experiment_by_name(self._experiment)
            if experiment is None:
                return None
            found = self._client.search_runs(
                [experiment.experiment_id],
                f"{of_version}attributes.status = 'FINISHED'",
                max_results=1,
                order_by=["attributes.start_time DESC"],
            )
        return found[0] if found else None

    def _load(self, found: ModelVersion, artifact: Artifact) -> Any:  # noqa: ANN401 - scikit-learn has no types
        """What was recorded of the champion that was found here; else the version itself."""
        try:
            spec = load_model(self._model)
        except BadConfigurationError as error:
            raise Refused(str(error)) from error
        if spec.prediction and self._serves(found):
            return Recorded(spec.prediction, spec.task, _classes(artifact))
        uri, source = self._settings.tracking_uri, str(found.source)
        return _estimator(uri, source, spec.model_dump_json(), self._trusted)

    def _serves(self, found: ModelVersion) -> bool:
        """Whether predictions on record are this version's: it served until we changed that."""
        if any(name.startswith(promoted_by("")) for name in found.tags):
            return False
        with faults_sorted():
            aliases = self._client.get_registered_model(self._model).aliases
            champion = aliases.get("champion")
            if champion is None or str(champion) == str(found.version):
                return champion is not None
            ours = TRAINED_ROWS in self._client.get_model_version(self._model, champion).tags
        last = self._newest() if ours else None
        return last is not None and last.data.tags[VERSION] == str(found.version)


def _none_kept(name: str) -> dict[str, JsonValue]:
    msg = f"the version was made elsewhere and has no {name} yet: run the pipeline monitoring"
    raise Refused(msg)


def _classes(artifact: Artifact) -> tuple[str, ...]:
    try:
        found = artifact(RECORDED_FILE).get("classes")
    except Refused:
        return ()
    return tuple(str(name) for name in found) if isinstance(found, list) else ()


@lru_cache(maxsize=_KEPT)
def _estimator(_tracking: str, source: str, spec: str, trusted: frozenset[str]) -> Any:  # noqa: ANN401 - as above
    with faults_sorted():
        path = mlflow.artifacts.download_artifacts(artifact_uri=source)
        return load_foreign(path, spec=ModelSpec.model_validate_json(spec), trusted_types=trusted)

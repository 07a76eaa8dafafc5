"""Loads versions that were made elsewhere, and keeps what monitoring needs of them as baselines.

A baseline is an MLflow run of its own, found by its tags: the version stays as it is.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Final

import mlflow
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient
from pydantic import JsonValue

from trimtab.adapters.registry.foreign_model import load_foreign_model
from trimtab.adapters.registry.tracking import get_or_create_experiment, translate_mlflow_errors
from trimtab.adapters.registry.version_files import (
    Estimator,
    log_files,
    read_companion,
    read_frame,
    read_json,
)
from trimtab.contracts.fitted import RECORDED_CLASSES_FILE, Baseline, ServedModel
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.names import build_experiment_name
from trimtab.contracts.ports import Refused
from trimtab.contracts.tags import (
    BASELINE_KEY_TAG,
    BASELINE_VERSION_TAG,
    TRAINED_ROWS_TAG,
    build_promotion_tag,
)
from trimtab.detection.onboarding.predictions import LoggedPredictions
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import load_model_spec
from trimtab.runtime.settings import Settings

_MODELS_KEPT: Final = 8
"""Models that a process keeps in memory."""

ReadArtifact = Callable[[str], dict[str, JsonValue]]


class ForeignVersions:
    """Versions of one registered model; baselines are runs of `trimtab/MODEL/baselines`."""

    def __init__(
        self, model: str, *, settings: Settings, client: MlflowClient, trusted_types: Iterable[str]
    ) -> None:
        self._model = model
        self._settings = settings
        self._client = client
        self._trusted = frozenset(trusted_types)

    def build_served(self, found: ModelVersion) -> ServedModel:
        """Return a version; what it lacks comes from its newest baseline, if there is one."""
        kept = self._find_newest_baseline(str(found.version))
        run_id = kept.info.run_id if kept else ""
        uri = self._settings.tracking_uri
        artifact = partial(read_json, uri, run_id) if kept else _raise_no_baseline
        return ServedModel(
            version=str(found.version),
            run_id=run_id,
            metrics=dict(kept.data.metrics) if kept else {},
            tags=dict(found.tags),
            load=partial(self._load, found, artifact),
            artifact=artifact,
            frame=partial(read_frame, uri, run_id) if kept else _raise_no_baseline,
            companion=partial(read_companion, uri, run_id) if kept else _raise_no_baseline,
            foreign=True,
            baseline=kept.data.tags.get(BASELINE_KEY_TAG) if kept else None,
        )

    def keep_baseline(self, baseline: Baseline) -> None:
        """Keep a baseline as a finished run of its own; an unfinished run is never found again."""
        with translate_mlflow_errors():
            experiment = get_or_create_experiment(
                self._client, self._experiment, settings=self._settings
            )
            tags = {BASELINE_VERSION_TAG: baseline.version, BASELINE_KEY_TAG: baseline.key}
            with mlflow.start_run(experiment_id=experiment, tags=tags):
                mlflow.log_metrics(dict(baseline.metrics))
                log_files(baseline)

    @property
    def _experiment(self) -> str:
        return build_experiment_name(self._model, "baselines")

    def _find_newest_baseline(self, version: str | None = None) -> Run | None:
        """Return the newest baseline of the version, or of any version."""
        of_version = f"tags.`{BASELINE_VERSION_TAG}` = '{version}' and " if version else ""
        with translate_mlflow_errors():
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

    def _load(self, found: ModelVersion, artifact: ReadArtifact) -> Estimator:
        """Return the logged predictions if they are this version's, or else the version itself."""
        try:
            spec = load_model_spec(self._model)
        except BadConfigurationError as error:
            raise Refused(str(error)) from error
        if spec.prediction and self._made_logged_predictions(found):
            return LoggedPredictions(spec.prediction, spec.task, _read_classes(artifact))
        uri, source = self._settings.tracking_uri, str(found.source)
        return _load_estimator(
            uri, source, str(found.version), spec.model_dump_json(), self._trusted
        )

    def _made_logged_predictions(self, found: ModelVersion) -> bool:
        """Return whether this version made the logged predictions: it served when we came."""
        if any(name.startswith(build_promotion_tag("")) for name in found.tags):
            return False
        with translate_mlflow_errors():
            aliases = self._client.get_registered_model(self._model).aliases
            champion = aliases.get("champion")
            if champion is None or str(champion) == str(found.version):
                return champion is not None
            ours = TRAINED_ROWS_TAG in self._client.get_model_version(self._model, champion).tags
        last = self._find_newest_baseline() if ours else None
        return last is not None and last.data.tags[BASELINE_VERSION_TAG] == str(found.version)


def _raise_no_baseline(name: str) -> dict[str, JsonValue]:
    msg = f"the version was made elsewhere and has no {name} yet: run the pipeline monitoring"
    raise Refused(msg)


def _read_classes(artifact: ReadArtifact) -> tuple[str, ...]:
    try:
        found = artifact(RECORDED_CLASSES_FILE).get("classes")
    except Refused:
        return ()
    return tuple(str(name) for name in found) if isinstance(found, list) else ()


@lru_cache(maxsize=_MODELS_KEPT)
def _load_estimator(
    _tracking: str, source: str, version: str, spec: str, trusted: frozenset[str]
) -> Estimator:
    with translate_mlflow_errors():
        path = mlflow.artifacts.download_artifacts(artifact_uri=source)
        return load_foreign_model(
            path,
            spec=ModelSpec.model_validate_json(spec),
            version=version,
            trusted_types=trusted,
        )

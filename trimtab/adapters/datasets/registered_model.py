"""One model of the MLflow registry as a dataset: loaded, it has all versions; saved, one more.

Versions are kept in skops format and loaded only where they hold nothing but what our own
training makes: an artifact cannot smuggle in code.
"""

from collections.abc import Mapping
from functools import lru_cache, partial
from importlib.metadata import version
from typing import Any

import mlflow.sklearn
from kedro.io import AbstractDataset
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model, infer_signature
from mlflow.tracking import MlflowClient

from trimtab.adapters.registry.foreign_versions import ForeignVersions
from trimtab.adapters.registry.tracking import experiment_id, faults_sorted, open_tracking
from trimtab.adapters.registry.version_files import (
    ARTIFACTS_KEPT,
    ESTIMATORS_KEPT,
    TRUSTED_TYPES,
    log_files,
    read_companion,
    read_frame,
    read_json,
    refused_where_missing,
)
from trimtab.contracts.fitted import Baseline, FittedModel, ServedModel
from trimtab.contracts.names import experiment_name
from trimtab.contracts.ports import NoChampionError, Refused
from trimtab.contracts.tags import EFFECT_KEY, TRAINED_ROWS
from trimtab.runtime.settings import Settings, load_settings


class RegisteredModelDataset(
    AbstractDataset[FittedModel | ServedModel | Baseline, "RegisteredModel"]
):
    """The registered model of that name."""

    def __init__(self, *, model: str, metadata: dict[str, Any] | None = None) -> None:
        self._model = model
        self.metadata = metadata

    def load(self) -> "RegisteredModel":
        """Its versions, read when asked for."""
        return RegisteredModel(self._model, settings=load_settings())

    def save(self, data: FittedModel | ServedModel | Baseline) -> None:
        """Register a new version, or keep a baseline; what is registered already stays as it is."""
        if isinstance(data, FittedModel):
            self.load().register(data)
        elif isinstance(data, Baseline):
            self.load().keep(data)

    def _describe(self) -> dict[str, Any]:
        return {"model": self._model}


class RegisteredModel:
    """All versions of one registered model; implements `contracts.fitted.ServedModels`."""

    def __init__(self, model: str, *, settings: Settings) -> None:
        self._model = model
        self._settings = settings
        self._client = open_tracking(settings)
        self._elsewhere = ForeignVersions(
            model, settings=settings, client=self._client, trusted_types=TRUSTED_TYPES
        )

    def champion(self) -> ServedModel:
        """The version that the alias `champion` points at; raises `Refused` where none is."""
        with refused_where_missing(
            f"model {self._model!r} has no champion: run the pipeline training first",
            NoChampionError,
        ):
            return self._served(self._client.get_model_version_by_alias(self._model, "champion"))

    def version(self, version: str) -> ServedModel:
        """One version; raises `Refused` where there is none."""
        with refused_where_missing(f"model {self._model!r} has no version {version!r}"):
            return self._served(self._client.get_model_version(self._model, version))

    def made_by(self, key: str) -> ServedModel | None:
        """The version that carries the effect key, or None."""
        with faults_sorted():
            query = f"name='{self._model}' and tag.`{EFFECT_KEY}`='{key}'"
            found = self._client.search_model_versions(query, max_results=1)
        return self._served(found[0]) if found else None

    def register(self, fitted: FittedModel) -> None:
        """Log the model with all that belongs to it, then make it a version in one step."""
        with faults_sorted():
            run_id, model_id, model_uri = self._log(fitted)
            _ensure_registered_model(self._client, self._model)
            made = self._client.create_model_version(
                self._model,
                source=model_uri,
                run_id=run_id,
                tags=dict(fitted.tags),
                model_id=model_id,  # a server refuses a source without its owner; SQLite does not
            )
            if fitted.alias:
                self._client.set_registered_model_alias(self._model, fitted.alias, made.version)

    def keep(self, baseline: Baseline) -> None:
        """Keep what monitoring needs of a version that was made elsewhere."""
        self._elsewhere.keep(baseline)

    def _log(self, fitted: FittedModel) -> tuple[str, str, str]:
        experiment = experiment_id(
            self._client, experiment_name(self._model, "training"), settings=self._settings
        )
        with mlflow.start_run(experiment_id=experiment, tags=dict(fitted.tags)) as run:
            mlflow.log_params(dict(fitted.params))
            mlflow.log_metrics(dict(fitted.metrics))
            log_files(fitted)
            logged = mlflow.sklearn.log_model(
                fitted.estimator,
                name="model",
                signature=infer_signature(fitted.example, fitted.estimator.predict(fitted.example)),
                input_example=fitted.example,
                serialization_format="skops",
                skops_trusted_types=list(TRUSTED_TYPES),
                pip_requirements=_requirements(),
            )
        return run.info.run_id, logged.model_id, logged.model_uri

    def _served(self, found: ModelVersion) -> ServedModel:
        if TRAINED_ROWS not in found.tags:
            return self._elsewhere.served(found)
        uri = self._settings.tracking_uri
        run_id = str(found.run_id or "")
        return ServedModel(
            version=str(found.version),
            run_id=run_id,
            metrics=_metrics(uri, run_id) if run_id else {},
            tags=dict(found.tags),
            load=partial(_estimator, uri, str(found.source)),
            artifact=partial(read_json, uri, run_id),
            frame=partial(read_frame, uri, run_id),
            companion=partial(read_companion, uri, run_id),
        )


def _ensure_registered_model(client: MlflowClient, name: str) -> None:
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _requirements() -> list[str]:
    return [f"{name}=={version(name)}" for name in ("scikit-learn", "skops", "pandas", "numpy")]


@lru_cache(maxsize=ESTIMATORS_KEPT)
def _estimator(_tracking: str, source: str) -> Any:  # noqa: ANN401 - scikit-learn has no types
    with faults_sorted():
        path = mlflow.artifacts.download_artifacts(artifact_uri=source)
        flavor = Model.load(path).flavors.get("sklearn", {})
        trusted = flavor.get("skops_trusted_types") or ()
        if flavor.get("serialization_format") != "skops" or not set(trusted) <= set(TRUSTED_TYPES):
            msg = f"model {source} was not made by the pipelines of Trimtab: it is not loaded"
            raise Refused(msg)
        return mlflow.sklearn.load_model(path)


@lru_cache(maxsize=ARTIFACTS_KEPT)
def _metrics(tracking: str, run_id: str) -> Mapping[str, float]:
    return dict(MlflowClient(tracking_uri=tracking).get_run(run_id).data.metrics)

"""Loads and saves one model of the MLflow registry: loading gives all versions, saving adds one.

Versions are kept in skops format, and loaded only if they hold nothing but types that our own
training makes: an artifact cannot bring code of its own.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from importlib.metadata import version
from typing import Any

import mlflow.sklearn
from kedro.io import AbstractDataset
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model, infer_signature
from mlflow.tracking import MlflowClient
from typing_extensions import override

from trimtab.adapters.registry.foreign_versions import ForeignVersions
from trimtab.adapters.registry.served_windows import list_served_windows
from trimtab.adapters.registry.tracking import (
    get_or_create_experiment,
    open_tracking,
    translate_mlflow_errors,
)
from trimtab.adapters.registry.version_files import (
    ARTIFACTS_KEPT,
    ESTIMATORS_KEPT,
    TRUSTED_TYPES,
    Estimator,
    log_files,
    read_companion,
    read_frame,
    read_json,
    refuse_if_missing,
)
from trimtab.contracts.fitted import Baseline, FittedModel, ServedModel
from trimtab.contracts.names import build_experiment_name
from trimtab.contracts.ports import NoChampionError, Refused
from trimtab.contracts.tags import EFFECT_KEY_TAG, TRAINED_ROWS_TAG
from trimtab.runtime.settings import Settings, load_settings


class RegisteredModelDataset(
    AbstractDataset[FittedModel | ServedModel | Baseline, "RegisteredModel"]
):
    """The registered model of a name."""

    def __init__(self, *, model: str, metadata: dict[str, Any] | None = None) -> None:
        self._model = model
        self.metadata = metadata

    @override
    def load(self) -> "RegisteredModel":
        """Return its versions, which are read when they are asked for."""
        return RegisteredModel(self._model, settings=load_settings())

    @override
    def save(self, data: FittedModel | ServedModel | Baseline) -> None:
        """Register a new version or keep a baseline; a registered version changes nothing."""
        if isinstance(data, FittedModel):
            self.load().register(data)
        elif isinstance(data, Baseline):
            self.load().keep_baseline(data)

    @override
    def _describe(self) -> dict[str, Any]:
        return {"model": self._model}


class RegisteredModel:
    """All versions of one registered model; implements `contracts.fitted.ServedModels`."""

    def __init__(self, model: str, *, settings: Settings) -> None:
        self._model = model
        self._settings = settings
        self._client = open_tracking(settings)
        self._foreign = ForeignVersions(
            model, settings=settings, client=self._client, trusted_types=TRUSTED_TYPES
        )

    def champion(self) -> ServedModel:
        """Return the version that the alias `champion` points at.

        Raises:
            NoChampionError: There is none.
        """
        with refuse_if_missing(
            f"model {self._model!r} has no champion: run the pipeline training first",
            NoChampionError,
        ):
            found = self._client.get_model_version_by_alias(self._model, "champion")
            served = self._build_served(found)
        return replace(
            served, served_windows=partial(list_served_windows, self._client, self._model)
        )

    def version(self, version: str) -> ServedModel:
        """Return one version.

        Raises:
            Refused: There is none.
        """
        with refuse_if_missing(f"model {self._model!r} has no version {version!r}"):
            return self._build_served(self._client.get_model_version(self._model, version))

    def made_by(self, key: str) -> ServedModel | None:
        """Return the oldest version that carries the effect key, or None."""
        with translate_mlflow_errors():
            found = self._find_version(key)
        return self._build_served(found) if found else None

    def register(self, fitted: FittedModel) -> None:
        """Log a model with all that belongs to it, then make it a version in one step.

        No version is made if there is one with the same effect key: an attempt that was given up,
        and went on all the same, may have made it while this one trained. Of two that are made in
        the same instant, the newer is deleted.
        """
        key = fitted.tags.get(EFFECT_KEY_TAG)
        with translate_mlflow_errors():
            run_id, model_id, model_uri = self._log_run(fitted)
            _ensure_registered_model(self._client, self._model)
            if key and self._find_version(key):
                return
            made = self._client.create_model_version(
                self._model,
                source=model_uri,
                run_id=run_id,
                tags=dict(fitted.tags),
                model_id=model_id,  # a server refuses a source without its owner; SQLite does not
            )
            if key and (first := self._find_version(key)) and first.version != made.version:
                self._client.delete_model_version(self._model, made.version)
            elif fitted.alias:
                self._client.set_registered_model_alias(self._model, fitted.alias, made.version)

    def keep_baseline(self, baseline: Baseline) -> None:
        """Keep what monitoring needs of a version that was made elsewhere."""
        self._foreign.keep_baseline(baseline)

    def _find_version(self, key: str) -> ModelVersion | None:
        """Return the oldest version that carries the effect key, or None."""
        found = self._client.search_model_versions(
            f"name='{self._model}' and tag.`{EFFECT_KEY_TAG}`='{key}'",
            max_results=1,
            order_by=["version_number ASC"],
        )
        return found[0] if found else None

    def _log_run(self, fitted: FittedModel) -> tuple[str, str, str]:
        experiment = get_or_create_experiment(
            self._client, build_experiment_name(self._model, "training"), settings=self._settings
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
                pip_requirements=_list_requirements(),
            )
        return run.info.run_id, logged.model_id, logged.model_uri

    def _build_served(self, found: ModelVersion) -> ServedModel:
        if TRAINED_ROWS_TAG not in found.tags:
            return self._foreign.build_served(found)
        uri = self._settings.tracking_uri
        run_id = str(found.run_id or "")
        return ServedModel(
            version=str(found.version),
            run_id=run_id,
            metrics=_load_metrics(uri, run_id) if run_id else {},
            tags=dict(found.tags),
            load=partial(_load_estimator, uri, str(found.source)),
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


def _list_requirements() -> list[str]:
    return [f"{name}=={version(name)}" for name in ("scikit-learn", "skops", "pandas", "numpy")]


@lru_cache(maxsize=ESTIMATORS_KEPT)
def _load_estimator(_tracking: str, source: str) -> Estimator:
    with translate_mlflow_errors():
        path = mlflow.artifacts.download_artifacts(artifact_uri=source)
        flavor = Model.load(path).flavors.get("sklearn", {})
        trusted = flavor.get("skops_trusted_types") or ()
        if flavor.get("serialization_format") != "skops" or not set(trusted) <= set(TRUSTED_TYPES):
            msg = f"model {source} was not made by the pipelines of Trimtab: it is not loaded"
            raise Refused(msg)
        return mlflow.sklearn.load_model(path)


@lru_cache(maxsize=ARTIFACTS_KEPT)
def _load_metrics(tracking: str, run_id: str) -> Mapping[str, float]:
    return dict(MlflowClient(tracking_uri=tracking).get_run(run_id).data.metrics)

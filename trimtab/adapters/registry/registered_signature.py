"""Reads from MLflow what a registered model asks for and answers with; nothing of it is loaded."""

import os
from datetime import UTC, datetime
from typing import Any, Final

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.tracking import MlflowClient

from trimtab.adapters.registry.foreign_model import is_safe, kept_as, signed_inputs
from trimtab.adapters.registry.model_registry import CHAMPION
from trimtab.adapters.registry.tracking import faults_sorted, open_tracking
from trimtab.adapters.registry.version_files import TRUSTED_TYPES
from trimtab.contracts.model import Task
from trimtab.contracts.ports import Refused
from trimtab.contracts.signature import TEXT_TYPES, ModelInput, ModelInterface
from trimtab.contracts.suggestions import suggest_name
from trimtab.contracts.tags import TRAINED_ROWS
from trimtab.runtime.settings import Settings

_AMOUNTS: Final = {"float", "double"}
_MOST_SHOWN: Final = 10


def read_interface(model: str, *, settings: Settings, version: str | None = None) -> ModelInterface:
    """Of the version, or else of the champion.

    Raises `Refused` where there is none, or where its signature names no input columns.
    """
    client = _open(settings)
    with faults_sorted():
        aliases = _aliases(client, model, settings)
        found = _version(client, model, version or aliases.get(CHAMPION), settings)
    return _interface(found, aliases.get(CHAMPION), settings)


def find_interface(model: str, *, settings: Settings) -> ModelInterface | None:
    """Of the champion; None where there is none."""
    client = _open(settings)
    with faults_sorted():
        try:
            champion = client.get_registered_model(model).aliases.get(CHAMPION)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
    if champion is None:
        return None
    return read_interface(model, settings=settings, version=str(champion))


def _open(settings: Settings) -> MlflowClient:
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # a person waits
    return open_tracking(settings)


def _interface(found: ModelVersion, champion: str | None, settings: Settings) -> ModelInterface:
    model = found.name
    with faults_sorted():
        described = Model.load(str(found.source))
    inputs = signed_inputs(described)
    if not inputs:
        msg = (
            f"version {found.version} of {model!r} has no signature that names its input columns:"
            " register it anew with signature=infer_signature(…) of a data frame"
        )
        raise Refused(msg)
    return ModelInterface(
        model=model,
        version=str(found.version),
        champion=champion,
        inputs=tuple(ModelInput(name=name, type=type_) for name, type_ in inputs),
        output=_output(described)[0],
        task=_task(described),
        chances="sklearn" in described.flavors,
        safe=is_safe(described, frozenset(TRUSTED_TYPES)),
        kept_as=kept_as(described),
        own=TRAINED_ROWS in found.tags,
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
        where=settings.tracking_uri,
    )


def how_to_point(interface: ModelInterface) -> str:
    """The command that makes the version champion."""
    return _pointing(interface.model, interface.version, interface.where)


def _pointing(model: str, version: str, where: str) -> str:
    call = f'set_registered_model_alias("{model}", "{CHAMPION}", "{version}")'
    return f"MLFLOW_TRACKING_URI={where} python -c 'import mlflow; mlflow.MlflowClient().{call}'"


def _aliases(client: MlflowClient, model: str, settings: Settings) -> dict[str, str]:
    try:
        found = client.get_registered_model(model).aliases
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        names = [each.name for each in client.search_registered_models(max_results=100)]
        near = suggest_name(model, names)
        meant = f"did you mean {near!r}? " if near else ""
        there = ", ".join(names[:_MOST_SHOWN]) or "none"
        msg = (
            f"MLflow at {settings.tracking_uri} has no registered model {model!r}: {meant}there"
            f" are: {there}; MLFLOW_TRACKING_URI says where to look"
        )
        raise Refused(msg) from error
    return {str(name): str(version) for name, version in found.items()}


def _version(
    client: MlflowClient, model: str, version: str | None, settings: Settings
) -> ModelVersion:
    if version is None:
        found = client.search_model_versions(
            f"name = '{model}'", max_results=_MOST_SHOWN, order_by=["version_number DESC"]
        )
        there = [str(each.version) for each in found]
        if not there:
            msg = f"registered model {model!r} has no version: register one"
            raise Refused(msg)
        msg = (
            f"no version of {model!r} has the alias {CHAMPION!r}, and that is the one watched;"
            f" versions are {', '.join(there)}. Set it, for the newest:"
            f" {_pointing(model, there[0], settings.tracking_uri)}; or look at it first, by"
            f" --version {there[0]}"
        )
        raise Refused(msg)
    try:
        return client.get_model_version(model, version)
    except MlflowException as error:
        if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            raise
        msg = f"registered model {model!r} has no version {version!r}: name one of MLflow's list"
        raise Refused(msg) from error


def _output(described: Model) -> tuple[str, str]:
    """Name and type of the first output; "" where unknown."""
    outputs: Any = described.signature.outputs if described.signature else None
    if outputs is None:
        return "", ""
    first = next(iter(outputs))
    if outputs.is_tensor_spec():
        return first.name or "", _of_numpy(str(first.type))
    return first.name or "", str(getattr(first.type, "name", first.type))


def _of_numpy(type_: str) -> str:
    kinds = {"f": "double", "i": "long", "u": "long", "b": "boolean", "o": "string", "<": "string"}
    return kinds.get(type_[:1].lower(), "")


def _task(described: Model) -> Task | None:
    asked = described.flavors.get("python_function", {}).get("predict_fn", "predict")
    type_ = _output(described)[1]
    if asked != "predict" or type_ in TEXT_TYPES:
        return Task.CLASSIFICATION
    return Task.REGRESSION if type_ in _AMOUNTS else None

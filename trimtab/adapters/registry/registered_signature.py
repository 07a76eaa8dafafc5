"""Reads a registered model's inputs and output from MLflow, without loading the model."""

from datetime import UTC, datetime
from typing import Any, Final

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.tracking import MlflowClient

from trimtab.adapters.registry.foreign_model import (
    format_storage,
    is_safe_to_load,
    read_signature_inputs,
)
from trimtab.adapters.registry.model_registry import CHAMPION_ALIAS
from trimtab.adapters.registry.requirements import fetch_missing_requirements
from trimtab.adapters.registry.tracking import open_tracking, translate_mlflow_errors
from trimtab.adapters.registry.version_files import TRUSTED_TYPES
from trimtab.contracts.model import Task
from trimtab.contracts.ports import Refused
from trimtab.contracts.signature import TEXT_TYPES, ModelInput, ModelSignature
from trimtab.contracts.suggestions import suggest_name
from trimtab.contracts.tags import TRAINED_ROWS_TAG
from trimtab.runtime.settings import Settings

_NUMERIC_OUTPUTS: Final = {"float", "double"}
_NUMPY_KINDS: Final = {
    "f": "double", "i": "long", "u": "long", "b": "boolean", "o": "string", "<": "string",
}  # fmt: skip
_MAX_SHOWN: Final = 10
_MAX_MODELS: Final = 100


def read_signature(model: str, *, settings: Settings, version: str | None = None) -> ModelSignature:
    """Return the signature of a version, or of the champion if none is given.

    Raises:
        Refused: There is no such version, or its signature names no input columns.
    """
    client = open_tracking(settings)
    with translate_mlflow_errors():
        aliases = _read_aliases(client, model, settings)
        found = _get_version(client, model, version or aliases.get(CHAMPION_ALIAS), settings)
    return _build_signature(found, aliases.get(CHAMPION_ALIAS), settings)


def find_champion_signature(model: str, *, settings: Settings) -> ModelSignature | None:
    """Return the champion's signature, or None if there is no champion.

    Raises:
        Refused: The champion's signature names no input columns.
    """
    client = open_tracking(settings)
    with translate_mlflow_errors():
        try:
            champion = client.get_registered_model(model).aliases.get(CHAMPION_ALIAS)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
    if champion is None:
        return None
    return read_signature(model, settings=settings, version=str(champion))


def format_alias_command(signature: ModelSignature) -> str:
    """Return the command that makes the version champion."""
    return _format_alias_command(signature.model, signature.version, signature.where)


def _build_signature(
    found: ModelVersion, champion: str | None, settings: Settings
) -> ModelSignature:
    model = found.name
    with translate_mlflow_errors():
        described = Model.load(str(found.source))
        missing = fetch_missing_requirements(str(found.source))
    inputs = read_signature_inputs(described)
    if not inputs:
        msg = (
            f"version {found.version} of {model!r} has no signature that names its input columns:"
            " register it again with signature=infer_signature(…) of a data frame"
        )
        raise Refused(msg)
    return ModelSignature(
        model=model,
        version=str(found.version),
        champion=champion,
        inputs=tuple(ModelInput(name=name, type=type_) for name, type_ in inputs),
        output=_read_output(described)[0],
        task=_infer_task(described),
        chances="sklearn" in described.flavors,
        safe=is_safe_to_load(described, frozenset(TRUSTED_TYPES)),
        kept_as=format_storage(described),
        own=TRAINED_ROWS_TAG in found.tags,
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
        where=settings.tracking_uri,
        missing_requirements=missing,
    )


def _format_alias_command(model: str, version: str, registry: str) -> str:
    call = f'set_registered_model_alias("{model}", "{CHAMPION_ALIAS}", "{version}")'
    return f"MLFLOW_TRACKING_URI={registry} python -c 'import mlflow; mlflow.MlflowClient().{call}'"


def _read_aliases(client: MlflowClient, model: str, settings: Settings) -> dict[str, str]:
    """Return alias to version of a registered model."""
    try:
        found = client.get_registered_model(model).aliases
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        names = [each.name for each in client.search_registered_models(max_results=_MAX_MODELS)]
        meant = suggest_name(model, names)
        hint = f"did you mean {meant!r}? " if meant else ""
        existing = ", ".join(names[:_MAX_SHOWN]) or "none"
        msg = (
            f"MLflow at {settings.tracking_uri} has no registered model {model!r}: {hint}there"
            f" are: {existing}; MLFLOW_TRACKING_URI says where to look"
        )
        raise Refused(msg) from error
    return {str(name): str(version) for name, version in found.items()}


def _get_version(
    client: MlflowClient, model: str, version: str | None, settings: Settings
) -> ModelVersion:
    if version is None:
        raise Refused(_format_no_champion(client, model, settings))
    try:
        return client.get_model_version(model, version)
    except MlflowException as error:
        if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            raise
        msg = f"registered model {model!r} has no version {version!r}: name one of MLflow's list"
        raise Refused(msg) from error


def _format_no_champion(client: MlflowClient, model: str, settings: Settings) -> str:
    found = client.search_model_versions(
        f"name = '{model}'", max_results=_MAX_SHOWN, order_by=["version_number DESC"]
    )
    versions = [str(each.version) for each in found]
    if not versions:
        return f"registered model {model!r} has no version: register one"
    newest = versions[0]
    return (
        f"no version of {model!r} has the alias {CHAMPION_ALIAS!r}, which names the version to"
        f" watch; versions are {', '.join(versions)}. Set it to the newest:"
        f" {_format_alias_command(model, newest, settings.tracking_uri)}; or inspect that version"
        f" first with --version {newest}"
    )


def _read_output(described: Model) -> tuple[str, str]:
    """Return name and type of the first output; "" for what is unknown."""
    outputs: Any = described.signature.outputs if described.signature else None
    if outputs is None:
        return "", ""
    first = next(iter(outputs))
    if outputs.is_tensor_spec():
        return first.name or "", _NUMPY_KINDS.get(str(first.type)[:1].lower(), "")
    return first.name or "", str(getattr(first.type, "name", first.type))


def _infer_task(described: Model) -> Task | None:
    function = described.flavors.get("python_function", {}).get("predict_fn", "predict")
    type_ = _read_output(described)[1]
    if function != "predict" or type_ in TEXT_TYPES:
        return Task.CLASSIFICATION
    return Task.REGRESSION if type_ in _NUMERIC_OUTPUTS else None

"""Gives pipelines a model's configuration as a dataset of the catalog."""

from typing import Any, Never, NoReturn

from kedro.io import AbstractDataset, DatasetError
from typing_extensions import override

from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import load_model_spec


class ModelSpecDataset(AbstractDataset[Never, ModelSpec]):
    """The file `conf/*/models/MODEL.yml`, which is only read."""

    def __init__(self, *, model: str | None, metadata: dict[str, Any] | None = None) -> None:
        self._model = model
        self.metadata = metadata

    @override
    def load(self) -> ModelSpec:
        """Return the validated configuration."""
        if not self._model:
            msg = "no model is named: pass the parameter `model`"
            raise Refused(msg)
        try:
            return load_model_spec(self._model)
        except BadConfigurationError as error:
            raise Refused(str(error)) from error

    @override
    def save(self, data: Never) -> NoReturn:
        """Raise an error: people configure models."""
        msg = f"the configuration of {self._model} is read-only"
        raise DatasetError(msg)

    @override
    def _describe(self) -> dict[str, Any]:
        return {"model": self._model}

"""A model's configuration as a dataset, so that every pipeline finds it in the catalog."""

from typing import Any, Never, NoReturn

from kedro.io import AbstractDataset, DatasetError

from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import load_model


class ModelSpecDataset(AbstractDataset[Never, ModelSpec]):
    """`conf/*/models/MODEL.yml`; only read."""

    def __init__(self, *, model: str | None, metadata: dict[str, Any] | None = None) -> None:
        self._model = model
        self.metadata = metadata

    def load(self) -> ModelSpec:
        """The validated configuration."""
        if not self._model:
            msg = "no model is named: pass the parameter `model`"
            raise Refused(msg)
        try:
            return load_model(self._model)
        except BadConfigurationError as error:
            raise Refused(str(error)) from error

    def save(self, data: Never) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Models are configured by people."""
        msg = f"the configuration of {self._model} is read-only"
        raise DatasetError(msg)

    def _describe(self) -> dict[str, Any]:
        return {"model": self._model}

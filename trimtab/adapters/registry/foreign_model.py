"""Loads a version that was made elsewhere, and gives it the input that its signature names.

A model in skops format with only trusted types is data, and is loaded. Any other model is a
program that its maker wrote: it runs with the rights of the process that loads it. It is loaded
only if the model's configuration says `trust_pickle: true`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import Model
from mlflow.types import ColSpec
from numpy.typing import NDArray

from trimtab.adapters.registry.requirements import explain_missing_package, format_remedy
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.contracts.signature import NUMBER_TYPES
from trimtab.detection.profiles.casting import cast_to_categories, cast_to_numbers

_NUMPY_TYPES: Final = {"integer": "int32", "long": "int64", "float": "float32", "double": "float64"}
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


class ForeignEstimator:
    """Predicts as the estimators of our own pipelines do, whatever the model is made of."""

    def __init__(
        self, model: object, *, inputs: Sequence[tuple[str, str]], spec: ModelSpec
    ) -> None:
        self._model: Any = model
        self._inputs = inputs
        self._spec = spec

    def predict(self, table: pd.DataFrame) -> "pd.Series[Any]":
        """Return a number, or the class as text, for each row."""
        with self._explain_missing_module():
            found = np.asarray(self._model.predict(self._select_inputs(table)))
        column = found.reshape(len(table), -1)[:, 0]
        values = pd.Series(column, index=table.index).infer_objects()
        numeric = self._spec.task is Task.REGRESSION
        return cast_to_numbers(values) if numeric else cast_to_categories(values)

    @contextmanager
    def _explain_missing_module(self) -> Iterator[None]:
        """Raise `Refused` if the model imports what is missing only when it predicts."""
        try:
            yield
        except ModuleNotFoundError as error:
            msg = (
                f"the champion of {self._spec.name!r} needs the module {error.name}, which is not"
                f" installed here: {format_remedy([])}"
            )
            raise Refused(msg) from error

    def _select_inputs(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that the signature names, in its order and types."""
        if not self._inputs:
            return table
        missing = [name for name, _ in self._inputs if name not in table]
        if missing:
            msg = (
                f"the champion of {self._spec.name!r} needs {', '.join(missing)}:"
                " list these columns under features"
            )
            raise Refused(msg)
        return pd.DataFrame({name: _cast(table[name], type_) for name, type_ in self._inputs})


class ForeignClassifier(ForeignEstimator):
    """A model that predicts the probabilities of classes too."""

    def predict_proba(self, table: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities of shape (len(table), number of classes)."""
        probabilities: NDArray[np.float64]
        with self._explain_missing_module():
            probabilities = self._model.predict_proba(self._select_inputs(table))
        return probabilities

    @property
    def classes_(self) -> "list[Any]":
        """The classes as text, in the order of the probabilities."""
        return list(cast_to_categories(pd.Series(self._model.classes_)))


def load_foreign_model(
    path: str, *, spec: ModelSpec, version: str, trusted_types: frozenset[str]
) -> ForeignEstimator:
    """Return the model in an MLflow folder.

    Raises:
        Refused: Loading it may run code, and the configuration does not trust its maker; or a
            package that it needs is not installed.
    """
    described = Model.load(path)
    inputs = read_signature_inputs(described)
    if is_safe_to_load(described, trusted_types):
        with explain_missing_package(path, model=spec.name, version=version):
            return _wrap(mlflow.sklearn.load_model(path), inputs, spec)
    if not spec.trust_pickle:
        msg = (
            f"the champion of {spec.name!r} is kept as {format_storage(described)}: loading it may"
            " run code that it brings. Name a column with its predictions under `prediction`, or"
            " write `trust_pickle: true` into its configuration if you trust its maker"
        )
        raise Refused(msg)
    with explain_missing_package(path, model=spec.name, version=version):
        loaded = mlflow.pyfunc.load_model(path)
    model = loaded.get_raw_model() if "sklearn" in described.flavors else loaded
    return _wrap(model, inputs, spec)


def read_signature_inputs(described: Model) -> tuple[tuple[str, str], ...]:
    """Return name and type of each input column; none if the signature names no columns."""
    signature = described.signature
    if signature is None or signature.inputs is None or not signature.inputs.has_input_names():
        return ()
    if signature.inputs.is_tensor_spec():
        return ()
    return tuple((str(each.name), _read_type(each)) for each in signature.inputs)


def is_safe_to_load(described: Model, trusted_types: frozenset[str]) -> bool:
    """Return whether loading a model runs none of its own code."""
    flavor = described.flavors.get("sklearn", {})
    trusted = flavor.get("skops_trusted_types") or ()
    brings_code = any(each.get("code") for each in described.flavors.values())
    skops = flavor.get("serialization_format") == "skops"
    return skops and not brings_code and set(trusted) <= trusted_types


def format_storage(described: Model) -> str:
    """Return how a model is kept, such as "sklearn, cloudpickle"."""
    names = [name for name in described.flavors if name != "python_function"]
    flavor = described.flavors.get("sklearn", {})
    form = flavor.get("serialization_format", "")
    if types := flavor.get("skops_trusted_types"):
        form += f" with {', '.join(types)}"
    return ", ".join([*names, *([form] if form else [])]) or "a Python function"


def _wrap(model: object, inputs: tuple[tuple[str, str], ...], spec: ModelSpec) -> ForeignEstimator:
    has_classes = hasattr(model, "predict_proba") and hasattr(model, "classes_")
    return (ForeignClassifier if has_classes else ForeignEstimator)(model, inputs=inputs, spec=spec)


def _read_type(column: ColSpec) -> str:
    """Return the name of a column's type, which may be nested."""
    return str(getattr(column.type, "name", column.type))


def _cast(values: "pd.Series[Any]", type_: str) -> "pd.Series[Any]":
    if type_ == "boolean":
        return cast_to_categories(values).map(lambda each: _BOOLEANS.get(str(each).lower()))
    if type_ not in NUMBER_TYPES:
        return cast_to_categories(values)
    numbers = cast_to_numbers(values)
    whole = type_ in {"integer", "long"}
    if whole and numbers.isna().any():
        return numbers
    cast: pd.Series[Any] = numbers.astype(np.dtype(_NUMPY_TYPES[type_]))
    return cast

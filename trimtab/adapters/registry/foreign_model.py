"""Loads a version that was made elsewhere, and asks it as its signature wants to be asked.

What is kept in skops format and holds only trusted types is data and is loaded. Anything else is
a program that its maker wrote: it runs with the rights of the process that loads it. So that is
done only where the model's configuration says `trust_pickle: true`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import Model

from trimtab.adapters.registry.requirements import explain_missing_package, format_remedy
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.contracts.signature import NUMBER_TYPES
from trimtab.detection.profiles.casting import cast_to_categories, cast_to_numbers

_NUMBERS: Final = {"integer": "int32", "long": "int64", "float": "float32", "double": "float64"}
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


class ForeignEstimator:
    """Answers as the estimators of our own pipelines do, whatever it is made of."""

    def __init__(
        self, asked: object, *, inputs: Sequence[tuple[str, str]], spec: ModelSpec
    ) -> None:
        self._asked: Any = asked
        self._inputs = inputs
        self._spec = spec

    def predict(self, table: pd.DataFrame) -> "pd.Series[Any]":
        """A number, or the class as text, for each row."""
        with self._explaining_missing_modules():
            found = np.asarray(self._asked.predict(self._as_signed(table)))
        column = found.reshape(len(table), -1)[:, 0]
        values = pd.Series(column, index=table.index).infer_objects()
        numeric = self._spec.task is Task.REGRESSION
        return cast_to_numbers(values) if numeric else cast_to_categories(values)

    @contextmanager
    def _explaining_missing_modules(self) -> Iterator[None]:
        """Some models import what they need when they are asked, and not when they are loaded."""
        try:
            yield
        except ModuleNotFoundError as error:
            msg = (
                f"the champion of {self._spec.name!r} needs the module {error.name}, which is not"
                f" installed here: {format_remedy([])}"
            )
            raise Refused(msg) from error

    def _as_signed(self, table: pd.DataFrame) -> pd.DataFrame:
        """The columns that the signature names, in its order and types."""
        if not self._inputs:
            return table
        missing = [name for name, _ in self._inputs if name not in table]
        if missing:
            msg = (
                f"the champion of {self._spec.name!r} wants {', '.join(missing)}:"
                " list what it wants under features"
            )
            raise Refused(msg)
        return pd.DataFrame({name: _cast(table[name], type_) for name, type_ in self._inputs})


class ForeignClassifier(ForeignEstimator):
    """One that tells the chances of classes, too."""

    def predict_proba(self, table: pd.DataFrame) -> Any:  # noqa: ANN401 - an array of numbers
        """The chance of each class."""
        with self._explaining_missing_modules():
            return self._asked.predict_proba(self._as_signed(table))

    @property
    def classes_(self) -> "list[Any]":
        """The classes as text, in the order of the chances."""
        return list(cast_to_categories(pd.Series(self._asked.classes_)))


def load_foreign(
    path: str, *, spec: ModelSpec, version: str, trusted_types: frozenset[str]
) -> ForeignEstimator:
    """Return the version in the folder, loaded.

    Raises `Refused` where loading it would run code unasked, or needs a package that is missing.
    """
    described = Model.load(path)
    inputs = signed_inputs(described)
    if is_safe(described, trusted_types):
        with explain_missing_package(path, model=spec.name, version=version):
            return _wrapped(mlflow.sklearn.load_model(path), inputs, spec)
    if not spec.trust_pickle:
        msg = (
            f"the champion of {spec.name!r} is kept as {kept_as(described)}: loading it may run"
            " code that it brings. Name a column with its predictions under `prediction`, or write"
            " `trust_pickle: true` into its configuration if you trust whoever made it"
        )
        raise Refused(msg)
    with explain_missing_package(path, model=spec.name, version=version):
        loaded = mlflow.pyfunc.load_model(path)
    asked = loaded.get_raw_model() if "sklearn" in described.flavors else loaded
    return _wrapped(asked, inputs, spec)


def signed_inputs(described: Model) -> tuple[tuple[str, str], ...]:
    """Name and type of each input column; none where the signature names no columns."""
    signature = described.signature
    if signature is None or signature.inputs is None or not signature.inputs.has_input_names():
        return ()
    if signature.inputs.is_tensor_spec():
        return ()
    return tuple((str(each.name), _type(each)) for each in signature.inputs)


def is_safe(described: Model, trusted_types: frozenset[str]) -> bool:
    """Whether loading it runs none of its own code."""
    flavor = described.flavors.get("sklearn", {})
    trusted = flavor.get("skops_trusted_types") or ()
    brings_code = any(each.get("code") for each in described.flavors.values())
    skops = flavor.get("serialization_format") == "skops"
    return skops and not brings_code and set(trusted) <= trusted_types


def kept_as(described: Model) -> str:
    """How it is kept, such as "sklearn, cloudpickle"."""
    names = [name for name in described.flavors if name != "python_function"]
    flavor = described.flavors.get("sklearn", {})
    form = flavor.get("serialization_format", "")
    if types := flavor.get("skops_trusted_types"):
        form += f" with {', '.join(types)}"
    return ", ".join([*names, *([form] if form else [])]) or "a Python function"


def _wrapped(
    asked: object, inputs: tuple[tuple[str, str], ...], spec: ModelSpec
) -> ForeignEstimator:
    knows = hasattr(asked, "predict_proba") and hasattr(asked, "classes_")
    return (ForeignClassifier if knows else ForeignEstimator)(asked, inputs=inputs, spec=spec)


def _type(column: Any) -> str:  # noqa: ANN401 - MLflow's ColSpec, whose types may nest
    return str(getattr(column.type, "name", column.type))


def _cast(values: "pd.Series[Any]", type_: str) -> "pd.Series[Any]":
    if type_ == "boolean":
        return cast_to_categories(values).map(lambda each: _TRUTHS.get(str(each).lower()))
    if type_ not in NUMBER_TYPES:
        return cast_to_categories(values)
    numbers = cast_to_numbers(values)
    whole = type_ in {"integer", "long"}
    if whole and numbers.isna().any():
        return numbers
    cast: pd.Series[Any] = numbers.astype(np.dtype(_NUMBERS[type_]))
    return cast

"""Inputs and output of a registered model, as its own signature states them."""

from pydantic import AwareDatetime

from trimtab.contracts.base import Name, Record
from trimtab.contracts.model import Task

NUMBER_TYPES = frozenset({"integer", "long", "float", "double"})
"""Types in a signature that are numbers."""
TEXT_TYPES = frozenset({"string", "boolean"})
"""Types in a signature that are categories."""


class ModelInput(Record):
    """One input column of a model."""

    name: str
    type: str
    """Type as MLflow calls it, such as "double" or "string"."""
    required: bool = True


class ModelSignature(Record):
    """Signature of one version of a registered model, read without loading the model."""

    model: Name
    version: str
    champion: str | None = None
    """The version that the alias `champion` points at; None if there is none."""
    inputs: tuple[ModelInput, ...]
    """Input columns in the signature's order."""
    output: str = ""
    """Name of the output in the signature; empty if it has none."""
    task: Task | None = None
    """The task as far as the signature determines it; None if it does not."""
    chances: bool = False
    """Whether the model can return probabilities of classes."""
    safe: bool = False
    """Whether loading the model runs none of its own code: skops format and only trusted types."""
    kept_as: str = ""
    """Storage format, such as "sklearn, cloudpickle"."""
    own: bool = False
    """Whether Trimtab's pipelines made the version."""
    created_at: AwareDatetime
    where: str
    """Address of the model registry."""
    missing_requirements: tuple[str, ...] = ()
    """Requirements of the version that are not installed here, such as "xgboost==3.1.0"."""

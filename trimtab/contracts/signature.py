"""What a registered model asks for and answers with, as its own signature tells it."""

from pydantic import AwareDatetime

from trimtab.contracts.base import Name, Record
from trimtab.contracts.model import Task

NUMBER_TYPES = frozenset({"integer", "long", "float", "double"})
"""Types of a signature that are numbers."""
TEXT_TYPES = frozenset({"string", "boolean"})
"""Types of a signature that are categories."""


class ModelInput(Record):
    """One column that a model wants."""

    name: str
    type: str
    """As MLflow calls it, such as "double" or "string"."""
    required: bool = True


class ModelSignature(Record):
    """One version of a registered model, seen from outside: nothing of it was loaded."""

    model: Name
    version: str
    champion: str | None = None
    """The version that the alias `champion` points at; None where there is none."""
    inputs: tuple[ModelInput, ...]
    """In the signature's order."""
    output: str = ""
    """Name of its output in the signature; "" where it has none."""
    task: Task | None = None
    """What the signature tells of the task; None where it leaves that open."""
    chances: bool = False
    """Whether it can be asked for the chances of classes."""
    safe: bool = False
    """Whether loading it runs none of its own code: skops format, and only trusted types."""
    kept_as: str = ""
    """How it is kept, such as "sklearn, cloudpickle"."""
    own: bool = False
    """Whether the pipelines of Trimtab made it."""
    created_at: AwareDatetime
    where: str
    """Address of the registry."""
    missing_requirements: tuple[str, ...] = ()
    """What it needs that is not installed here, such as "xgboost==3.1.0"."""

"""Opens the model registry when a command needs it: importing MLflow takes three seconds.

Many runs of a command need no registry, for there is none yet, or none of the models is in it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from trimtab.contracts.ports import Refused
from trimtab.contracts.signature import ModelSignature
from trimtab.runtime.settings import Settings

if TYPE_CHECKING:  # see above
    from trimtab.adapters.registry.freezes import FreezeTags
    from trimtab.adapters.registry.model_registry import MlflowRegistry

_SQLITE: Final = "sqlite:///"


def find_registry(settings: Settings) -> str | None:
    """Return the registry's address, or None for a database file that does not exist yet."""
    uri = settings.tracking_uri
    if uri.startswith(_SQLITE) and not Path(uri.removeprefix(_SQLITE)).exists():
        return None
    return uri


def open_registry(settings: Settings) -> "MlflowRegistry":
    """Return the registry."""
    from trimtab.adapters.registry.model_registry import MlflowRegistry

    return MlflowRegistry(settings=settings)


def open_freezes(settings: Settings) -> "FreezeTags":
    """Return the freezes that the registry holds; raise `Refused` if there is no registry yet."""
    if find_registry(settings) is None:
        msg = (
            f"there is no model registry at {settings.tracking_uri}: TRIMTAB_HOME or "
            "MLFLOW_TRACKING_URI names another one"
        )
        raise Refused(msg)
    from trimtab.adapters.registry.freezes import FreezeTags

    return FreezeTags(settings=settings)


def load_champion_signature(model: str, settings: Settings) -> ModelSignature | None:
    """Return the signature of the model's champion, or None if it has no champion.

    Raises `Refused` if the signature names no columns, `Unavailable` if MLflow does not answer.
    """
    from trimtab.adapters.registry.registered_signature import find_champion_signature

    return find_champion_signature(model, settings=settings)


def load_version_signature(model: str, version: str | None, settings: Settings) -> ModelSignature:
    """Return the signature of a version, or else of the champion; raise `Refused` without one."""
    from trimtab.adapters.registry.registered_signature import read_signature

    return read_signature(model, settings=settings, version=version)


def write_alias_command(signature: ModelSignature) -> str:
    """Return the shell command that makes this version the champion."""
    from trimtab.adapters.registry.registered_signature import format_alias_command

    return format_alias_command(signature)

"""What a registered version needs installed, and which of it is missing here."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import mlflow.artifacts
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.models_artifact_repo import ModelsArtifactRepository
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from trimtab.contracts.ports import Refused
from trimtab.runtime.paths import add_command

_FILE: Final = "requirements.txt"
_LOGGED_MODEL: Final = "models:/"
"""Address of a model of MLflow 3, which names no folder."""


def fetch_missing_requirements(source: str) -> tuple[str, ...]:
    """Return the requirements of a logged model that are not installed here.

    Args:
        source: Address of the model's files, as the registry has it.
    """
    if source.startswith(_LOGGED_MODEL):
        source = ModelsArtifactRepository.get_underlying_uri(source)  # type: ignore[no-untyped-call]  # MLflow
    try:
        path = mlflow.artifacts.download_artifacts(artifact_uri=f"{source.rstrip('/')}/{_FILE}")
    except (MlflowException, OSError):
        return ()  # a model may be logged without the file
    return tuple(str(each) for each in _list_missing(_read_requirements(Path(path))))


@contextmanager
def explain_missing_package(folder: str, *, model: str, version: str) -> Iterator[None]:
    """Turn a failed import into `Refused`, which names the version and what it needs.

    Args:
        folder: Folder of the version's files.
        model: Name of the model.
        version: The version that is loaded in this block.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        needed = _find_requirement(Path(folder) / _FILE, error.name or "")
        msg = (
            f"version {version} of {model!r} needs {needed or f'the module {error.name}'}, which is"
            f" not installed here: {format_remedy([needed] if needed else [])}"
        )
        raise Refused(msg) from error


def format_remedy(requirements: Sequence[str]) -> str:
    """Return what to do about missing requirements; none if only a module's name is known."""
    install = f"run `{add_command(requirements)}`" if requirements else "install its package"
    return (
        f"{install}, or name a column with the model's predictions under `prediction`, so that the"
        " model is not loaded"
    )


def _find_requirement(path: Path, module: str) -> str:
    """Return the missing requirement that brings a module, or "" where none is known to."""
    missing = _list_missing(_read_requirements(path)) if path.exists() else []
    name = canonicalize_name(module.partition(".")[0])
    named = [str(each) for each in missing if canonicalize_name(each.name) == name]
    if named:
        return named[0]
    return str(missing[0]) if len(missing) == 1 else ""


def _read_requirements(path: Path) -> Iterator[Requirement]:
    """Yield the file's requirements; its options and addresses are passed over."""
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield Requirement(line.partition("#")[0].strip())
        except InvalidRequirement:
            continue


def _list_missing(requirements: Iterable[Requirement]) -> list[Requirement]:
    return [
        each
        for each in requirements
        if (each.marker is None or each.marker.evaluate()) and not _is_installed(each.name)
    ]


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True

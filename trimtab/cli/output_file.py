"""Checks, before any work, that a file named by an option can be written."""

from pathlib import Path

from trimtab.runtime.errors import BadConfigurationError


def check_output_folder(path: Path, option: str) -> None:
    """Raise `BadConfigurationError` where the file's folder does not exist."""
    if not path.absolute().parent.is_dir():
        fault = f"{option} {path}: there is no folder {path.parent}: create it first"
        raise BadConfigurationError([fault])

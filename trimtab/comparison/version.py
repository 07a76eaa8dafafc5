"""Finds which version of Trimtab is installed."""

from importlib.metadata import PackageNotFoundError, version


def find_version() -> str:
    """Return the installed version, or "" in a source tree that is not installed."""
    try:
        return version("trimtab")
    except PackageNotFoundError:
        return ""

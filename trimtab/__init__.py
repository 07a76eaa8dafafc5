"""Trimtab compares two tables and says whether the data has drifted, which columns, and why.

`compare` and `profile` are for notebooks and pipelines; the command `trimtab` does the same in a
terminal. Importing the package loads nothing: each name is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from trimtab.comparison.api import compare, load_profile, profile
    from trimtab.comparison.errors import (
        InvalidInputError,
        InvalidOptionError,
        InvalidProfileError,
        InvalidTableError,
        UnsupportedTableError,
    )
    from trimtab.comparison.result import ComparisonResult
    from trimtab.comparison.table_profile import TableProfile
    from trimtab.comparison.table_sources import TableLike

    __version__: str

__all__ = [
    "ComparisonResult",
    "InvalidInputError",
    "InvalidOptionError",
    "InvalidProfileError",
    "InvalidTableError",
    "TableLike",
    "TableProfile",
    "UnsupportedTableError",
    "__version__",
    "compare",
    "load_profile",
    "profile",
]

_HOMES: Final = {
    "ComparisonResult": "result",
    "InvalidInputError": "errors",
    "InvalidOptionError": "errors",
    "InvalidProfileError": "errors",
    "InvalidTableError": "errors",
    "TableLike": "table_sources",
    "TableProfile": "table_profile",
    "UnsupportedTableError": "errors",
    "compare": "api",
    "load_profile": "api",
    "profile": "api",
}
"""Public name to the module of `trimtab.comparison` that defines it (PEP 562)."""


if not TYPE_CHECKING:  # a type checker would believe that any name exists

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used."""
        if name == "__version__":
            value: object = import_module("trimtab.comparison.version").find_version()
        elif home := _HOMES.get(name):
            value = getattr(import_module(f"trimtab.comparison.{home}"), name)
        else:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)

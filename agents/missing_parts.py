"""Spares each deliberation the search for parts of ADK that are not installed.

ADK tries to import its client of remote agents for each node of a graph, inside the workflow. Where
the package `a2a` is not installed, that compiles and runs a chain of modules again every time, to
fail: a quarter of a worker's processor time under load.
"""

import sys
from importlib.util import find_spec
from typing import Final

_OPTIONAL: Final = {"a2a": "google.adk.agents.remote_a2a_agent"}
"""Package that is not ours to require, and the module of ADK that needs it."""


def skip_missing_parts() -> None:
    """Let imports of ADK's optional modules fail at once where their package is missing."""
    for package, module in _OPTIONAL.items():
        if find_spec(package) is None:
            # With None there, Python raises ModuleNotFoundError without a search.
            sys.modules.setdefault(module, None)  # type: ignore[arg-type] # documented for None

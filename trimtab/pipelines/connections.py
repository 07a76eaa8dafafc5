"""Lets go of the engines that a run has reached: Kedro keeps a connection as long as the process.

A database in a file would stay locked for whoever writes to it, and no run would survive that a
server was restarted.
"""

import sys
from contextlib import suppress
from typing import Any, Final

_DATASET: Final = "kedro_datasets.ibis.table_dataset"
_KEPT: Final = "pyspark"
"""A session that takes seconds to start, and holds nothing that others wait for."""


def let_go(*, failed: bool) -> None:
    """Close the connections of Ibis datasets; after a run that failed Spark's session as well."""
    module = sys.modules.get(_DATASET)
    if module is None:  # no catalog names one
        return
    reached: dict[Any, Any] = module.TableDataset._connections  # noqa: SLF001 - no other way
    for key, backend in [*reached.items()]:
        if key[0] != "ibis" or (backend.name == _KEPT and not failed):
            continue
        del reached[key]
        with suppress(Exception):  # it may be gone already
            backend.disconnect()

"""Closes the connections to engines after a run: Kedro keeps them as long as the process lives.

A database in a file would otherwise stay locked for those who write to it, and no run would
survive a restart of the server.
"""

import sys
from contextlib import suppress
from typing import Any, Final

_DATASET_MODULE: Final = "kedro_datasets.ibis.table_dataset"
_CONNECTIONS: Final = "_connections"
"""Private attribute in which the dataset keeps its connections; there is no public way."""
_KEPT_BACKEND: Final = "pyspark"
"""Its session takes seconds to start, and holds nothing that others wait for."""


def close_connections(*, failed: bool) -> None:
    """Close the connections of Ibis datasets; after a failed run Spark's session as well."""
    module = sys.modules.get(_DATASET_MODULE)
    if module is None:  # no catalog entry uses one
        return
    connections: dict[Any, Any] = getattr(module.TableDataset, _CONNECTIONS)
    for key, backend in [*connections.items()]:
        if key[0] != "ibis" or (backend.name == _KEPT_BACKEND and not failed):
            continue
        del connections[key]
        with suppress(Exception):  # it may be closed already
            backend.disconnect()

"""A model's history as one table (CSV, gzipped CSV, Parquet): read once, kept while unchanged."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Never, NoReturn, Self

import pandas as pd
import pyarrow as pa
from kedro.io import AbstractDataset, DatasetError

from trimtab.contracts.ports import Refused
from trimtab.detection.tables.table_frame import load_frame
from trimtab.detection.tables.timestamps import parse_timestamps

TABLES_KEPT: Final = 2
"""Tables that a process keeps in memory."""


class HistoryDataset(AbstractDataset[Never, pd.DataFrame]):
    """Features, target and timestamp of a model in one table; never written to.

    `timestamp` names the column with the time of each row, which comes back as UTC; the pipelines
    fill it in from the model's configuration. `renamed` maps columns as the file has them to what
    they are called here.
    """

    def __init__(
        self,
        *,
        filepath: str,
        timestamp: str | None = None,
        renamed: Mapping[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path = Path(filepath)
        self._timestamp = timestamp
        self._renamed = dict(renamed or {})
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Return the whole table; changes to it do not affect later loads."""
        try:
            seen = self._path.stat()
        except OSError as error:
            msg = f"history {self._path} cannot be read: {error.strerror}: correct its filepath"
            raise Refused(msg) from error
        renamed = tuple(self._renamed.items())
        table = _read(self._path, (seen.st_mtime_ns, seen.st_size), self._timestamp, renamed)
        return table.copy(deep=False)

    def with_timestamp(self, column: str) -> Self:
        """Return a dataset that reads times from a column, unless the catalog names another."""
        if self._timestamp is not None:
            return self
        return type(self)(
            filepath=str(self._path),
            timestamp=column,
            renamed=self._renamed,
            metadata=self.metadata,
        )

    def save(self, data: Never) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        """Raise `DatasetError`: a history is only read."""
        msg = f"history {self._path} is read-only"
        raise DatasetError(msg)

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {
            "filepath": str(self._path),
            "timestamp": self._timestamp,
            "renamed": self._renamed,
        }


@lru_cache(maxsize=TABLES_KEPT)
def _read(
    path: Path,
    _seen: tuple[int, int],
    timestamp: str | None,
    renamed: tuple[tuple[str, str], ...],
) -> pd.DataFrame:
    try:
        table = load_frame(path)
    except (pa.ArrowException, ValueError, OSError, EOFError) as error:
        msg = f"history {path} is no readable CSV or Parquet table: {error}"
        raise Refused(msg) from error
    if lost := [name for name, _ in renamed if name not in table]:
        there = ", ".join(map(str, table))
        msg = f"history {path} has no column {lost[0]!r}, which is renamed: it has {there}"
        raise Refused(msg)
    table = table.rename(columns=dict(renamed))
    if timestamp is None:
        return table
    if timestamp not in table:
        msg = f"history {path} has no column {timestamp!r}: it has {', '.join(map(str, table))}"
        raise Refused(msg)
    return table.assign(**{timestamp: parse_timestamps(table[timestamp]).times})

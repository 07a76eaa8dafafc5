"""What is asked of a DuckDB table as a whole, beside its columns: gaps, repeated rows, times."""

from datetime import UTC, datetime, timedelta
from typing import Final

from trimtab.detection.tables.aggregates import Answer, filled
from trimtab.detection.tables.files import DuckTable
from trimtab.detection.tables.row_sampling import DRAWN, hash_of_rows

TICK: Final = timedelta(microseconds=1)
"""Between two times that differ."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)


def asked_of_all(table: DuckTable, time: str | None, rows: int) -> tuple[str, list[str]]:
    """The table and the aggregates over all of its columns, a large one with hashes of its rows."""
    aggregates = [filled(place, name) for place, name in enumerate(table.types)]
    if time:
        aggregates.append(f"EPOCH_US(MIN({time})) AS oldest")
        aggregates.append(f"EPOCH_US(MAX({time})) AS newest")
    if rows <= DRAWN:
        return table.source, aggregates
    every = hash_of_rows(table)
    chosen = f"CASE WHEN {every} % {rows // DRAWN} = 0 THEN {every} END"  # a share, by content
    # no COUNT(DISTINCT …): see detection.duck
    listed = "LIST(trimtab_row) FILTER (WHERE trimtab_row IS NOT NULL)"
    aggregates.append("COUNT(trimtab_row) AS chosen")
    aggregates.append(f"COALESCE(LIST_UNIQUE({listed}), 0) AS different")
    return f"(SELECT *, {chosen} AS trimtab_row FROM {table.source})", aggregates  # noqa: S608 - quoted names


def filled_rows(table: DuckTable, whole: Answer) -> dict[str, int]:
    """Column to rows in which it holds anything."""
    return {name: int(whole[f"f{place}"]) for place, name in enumerate(table.types)}


def instant(microseconds: int | None) -> datetime | None:
    """The time so many microseconds after 1970; the last that there is for any beyond it."""
    if microseconds is None:
        return None
    low, high = ((end - EPOCH) // TICK for end in (FIRST, LAST))
    return EPOCH + min(max(microseconds, low), high) * TICK

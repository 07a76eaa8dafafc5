"""Profiles tables by aggregate queries: files, tables in memory, databases, warehouses.

Files (Parquet, CSV, gzipped CSV) and tables in memory are read by DuckDB, anything else is an Ibis
table, and the counts are the same in every engine. Neither Ibis nor pandas is imported here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from os import PathLike
from typing import TYPE_CHECKING, TypeAlias, Union

from trimtab.contracts.base import EPOCH
from trimtab.contracts.drift import Window
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.detection.tables.column_inference import (
    InferredColumns,
    infer_duckdb_columns,
    infer_engine_columns,
)
from trimtab.detection.tables.duckdb_engine import profile_duckdb_table
from trimtab.detection.tables.duckdb_table import DuckTable, QueryableTable, UnreadableError
from trimtab.detection.tables.files import OpenFiles
from trimtab.detection.tables.ibis_engine import (
    EngineTable,
    filter_engine_rows,
    open_engine_table,
)
from trimtab.detection.tables.ibis_profiling import profile_engine_table
from trimtab.detection.tables.memory_tables import IbisTable
from trimtab.detection.tables.profile_plan import ProfilePlan, TableCounts
from trimtab.detection.tables.row_filter import RowFilter
from trimtab.detection.tables.text_times import parse_time_column
from trimtab.detection.tables.time_ranges import (
    DayCount,
    count_duckdb_days,
    count_engine_days,
    infer_data_period,
)

if TYPE_CHECKING:
    import ibis

Path = str | PathLike[str]
Relation: TypeAlias = Union[Path, Sequence[Path], QueryableTable, "ibis.Table"]
"""One file, several files with the same columns, a table for DuckDB or an Ibis table."""

_DAY = timedelta(days=1)


def infer_columns(
    relation: Relation, ignore: Sequence[str] = (), *, target: str | None = None
) -> InferredColumns:
    """Return the columns of a table with their kinds, inferred from their stored types.

    Text of which nine in ten values read as numbers is numeric (in files only). Times, lists,
    structs, UUIDs, and text that differs in nearly every row are left out with a reason.

    Raises:
        UnreadableError: The table cannot be read.
    """
    with _open_relation(relation) as table:
        if isinstance(table, QueryableTable):
            return table.query(lambda found: infer_duckdb_columns(found, ignore, target=target))
        return infer_engine_columns(table, ignore, target=target)


def profile_relation(
    relation: Relation,
    columns: Sequence[Column],
    *,
    like: WindowProfile | None = None,
    where: RowFilter | None = None,
    sketches: bool = True,
    model: str = "table",
) -> WindowProfile:
    """Profile all columns by a few aggregate queries, over the bins of `like` or over new ones.

    `columns` that the table lacks have no value in any row. Bins and categories of a table of more
    than 20,000 rows are chosen from a sample. Counts are exact, except repeated rows of large
    tables, which are estimated from some 100,000 rows, and categories of which there are too many.
    Without `sketches`, numeric columns count their distinct values by bins alone, which is twice as
    fast. Memory grows with columns and threads, not with the rows of files. It is safe to call this
    from several threads.

    The window is that of `where`, or from the oldest row to just after the newest, without outliers
    (`time_ranges`); without any time it is the day of 1 January 1970.

    Raises:
        UnreadableError: The table cannot be read, or all rows are wanted and none has a time.
    """
    plan = ProfilePlan(like=like, where=where, sketches=sketches)
    with _open_relation(relation) as table:
        if isinstance(table, QueryableTable):
            counts, days = table.query(lambda found: _profile_table(found, columns, plan))
        else:
            counts = profile_engine_table(table, columns, plan)
            filtered = filter_engine_rows(table, where)
            days = count_engine_days(filtered, where) if where and where.is_open else []
    return _build_profile(model, counts, where, days)


def _profile_table(
    table: DuckTable, columns: Sequence[Column], plan: ProfilePlan
) -> tuple[TableCounts, list[DayCount]]:
    """Return the counts, and the days of the rows where the filter does not give their range."""
    if plan.where:
        table = parse_time_column(table, plan.where.timestamp)
    counts = profile_duckdb_table(table, columns, plan)
    is_open = plan.where is not None and plan.where.is_open
    return counts, count_duckdb_days(table, plan.where) if plan.where and is_open else []


def _build_profile(
    model: str, counts: TableCounts, where: RowFilter | None, days: Sequence[DayCount]
) -> WindowProfile:
    all_rows = where is not None and where.has_no_bound
    if where and all_rows and counts.rows and not days:
        msg = (
            f"column {where.timestamp!r} has no readable time in any row: name a column of dates"
            " or timestamps; write times in text as 2026-01-31 14:00"
        )
        raise UnreadableError(msg)
    return WindowProfile(
        model=model,
        window=_choose_window(counts.rows, where, days),
        columns=counts.columns,
        filled=counts.filled,
        duplicates=counts.duplicates,
        newest=infer_data_period(days).newest if days else counts.newest,
        untimed=max(counts.rows - sum(day.rows for day in days), 0) if all_rows else 0,
    )


@contextmanager
def _open_relation(relation: Relation) -> Iterator[QueryableTable | EngineTable]:
    """Yield the table as DuckDB queries it, or else as its own engine does."""
    if isinstance(relation, QueryableTable):
        yield relation
    elif isinstance(relation, str | PathLike | Sequence):
        paths = [relation] if isinstance(relation, str | PathLike) else relation
        with OpenFiles(paths) as files:
            yield files
    elif relation.get_backend().name == "duckdb":
        yield IbisTable(relation)
    else:
        yield open_engine_table(relation)


def _choose_window(rows: int, where: RowFilter | None, days: Sequence[DayCount]) -> Window:
    period = infer_data_period(days) if days else None
    start = _ensure_timezone((where and where.start) or (period.start if period else EPOCH))
    end = _ensure_timezone((where and where.end) or (period.end if period else start + _DAY))
    return Window(start=start, end=end, rows=rows)


def _ensure_timezone(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)

"""Profiles of tables that are not in memory, by aggregate queries: files, databases, warehouses.

Files (Parquet, CSV, gzipped CSV) go straight to DuckDB, anything else is an Ibis table, and what an
engine counts is the same everywhere. Neither Ibis nor pandas is imported unless one is handed in.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from os import PathLike
from typing import TYPE_CHECKING, TypeAlias, TypeVar, Union

from trimtab.contracts.drift import Window
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.detection.tables.column_inference import Inferred, infer, infer_in_engine
from trimtab.detection.tables.duckdb_engine import count_table
from trimtab.detection.tables.files import (
    DuckTable,
    UnreadableError,
    is_text_file,
    open_connected,
    open_files,
)
from trimtab.detection.tables.memory_tables import MemoryTable
from trimtab.detection.tables.profile_plan import Counted, Plan
from trimtab.detection.tables.time_column import Span
from trimtab.detection.tables.time_ranges import Day, days_in_duck, days_in_engine, times_of

if TYPE_CHECKING:
    import ibis

__all__ = ["Inferred", "Span", "UnreadableError", "infer_columns", "profile_relation"]

Path = str | PathLike[str]
Relation: TypeAlias = Union[Path, Sequence[Path], MemoryTable, "ibis.Table"]
"""One file, several files with the same columns, a table in memory or an Ibis table."""

Answer = TypeVar("Answer")
_TIMELESS = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


def infer_columns(
    relation: Relation, ignore: Sequence[str] = (), *, target: str | None = None
) -> Inferred:
    """The columns of a table with their kinds, judged by their stored types.

    Text of which nine in ten values read as numbers is numeric (files only). Times, lists,
    structs, UUIDs and text that nearly always differs are left out with a reason. Raises
    `UnreadableError`.
    """
    if isinstance(relation, str | PathLike | Sequence | MemoryTable):
        return _of_files(relation, lambda table: infer(table, ignore, target=target))
    if relation.get_backend().name == "duckdb":
        with open_connected(relation) as table:
            return infer(table, ignore, target=target)
    from trimtab.detection.tables.ibis_engine import engine_table  # noqa: PLC0415 - for Ibis tables only

    return infer_in_engine(engine_table(relation), ignore, target=target)


def profile_relation(
    relation: Relation,
    columns: Sequence[Column],
    *,
    like: WindowProfile | None = None,
    where: Span | None = None,
    sketches: bool = True,
    model: str = "table",
) -> WindowProfile:
    """Count all columns by a few aggregate queries, over the bins of `like` or over its own.

    `columns` that the table lacks have no value in any row. Bins and categories of a table of more
    than 20,000 rows are taken from a sample. Counts are exact, but for repeated rows of large
    tables, counted among some 100,000 rows, and for words of which there are too many. Without
    `sketches` numeric columns count their different values by bins alone, which is twice as fast.
    Memory does not grow with the rows of files, but with columns and threads. The window is that
    of `where`, or from the oldest row to just after the newest, strays left out (`detection.days`);
    without any time it is the day of 1 January 1970. Safe to call from several threads.
    Raises `UnreadableError`, also where all rows are asked for and none has a time.
    """
    plan = Plan(like=like, span=where, sketches=sketches)
    if isinstance(relation, str | PathLike | Sequence | MemoryTable):
        counted, days = _of_files(relation, lambda table: _counted(table, columns, plan))
    elif relation.get_backend().name == "duckdb":
        with open_connected(relation) as table:
            counted, days = _counted(table, columns, plan)
    else:
        from trimtab.detection.tables.ibis_engine import between, engine_table  # noqa: PLC0415 - for Ibis tables only
        from trimtab.detection.tables.ibis_profiling import count_engine_table  # noqa: PLC0415 - as above

        asked = engine_table(relation)
        counted = count_engine_table(asked, columns, plan)
        days = days_in_engine(between(asked, plan), where) if where and _is_open(where) else []
    return _profile(model, counted, where, days)


def _counted(table: DuckTable, columns: Sequence[Column], plan: Plan) -> tuple[Counted, list[Day]]:
    """What is counted, and the days of the rows where the span does not tell them."""
    found = count_table(table, columns, plan)
    return found, days_in_duck(table, plan.span) if plan.span and _is_open(plan.span) else []


def _is_open(span: Span) -> bool:
    return span.start is None or span.end is None


def _profile(
    model: str, counted: Counted, where: Span | None, days: Sequence[Day]
) -> WindowProfile:
    everything = where is not None and where.start is None and where.end is None
    if where and everything and counted.rows and not days:
        msg = (
            f"column {where.timestamp!r} holds no time that can be read in any row: name a column"
            " of dates or timestamps, those that are text written as 2026-01-31 14:00"
        )
        raise UnreadableError(msg)
    return WindowProfile(
        model=model,
        window=_window(counted.rows, where, days),
        columns=counted.columns,
        filled=counted.filled,
        duplicates=counted.duplicates,
        newest=times_of(days).newest if days else counted.newest,
        untimed=max(counted.rows - sum(day.rows for day in days), 0) if everything else 0,
    )


def _of_files(
    relation: Path | Sequence[Path] | MemoryTable, question: Callable[[DuckTable], Answer]
) -> Answer:
    """Ask the table; where a CSV turns out to be mixed, again with all of it as text."""
    if isinstance(relation, MemoryTable):
        with relation.open() as table:
            return question(table)
    paths = [relation] if isinstance(relation, str | PathLike) else list(relation)
    try:
        with open_files(paths) as table:
            return question(table)
    except UnreadableError as error:
        if not (error.mixed and is_text_file(paths[0])):
            raise
    with open_files(paths, as_text=True) as table:
        return question(table)


def _window(rows: int, where: Span | None, days: Sequence[Day]) -> Window:
    times = times_of(days) if days else None
    start = _aware((where and where.start) or (times.start if times else _TIMELESS))
    end = _aware((where and where.end) or (times.end if times else start + _DAY))
    return Window(start=start, end=end, rows=rows)


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)

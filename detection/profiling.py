"""Profiles of tables that are not in memory, by aggregate queries: files, databases, warehouses.

Files (Parquet, CSV, gzipped CSV) go straight to DuckDB, anything else is an Ibis table, and what an
engine counts is the same everywhere. Neither Ibis nor pandas is imported unless one is handed in.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from os import PathLike
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from contracts.drift import Window
from detection.columns import Column
from detection.duck import Counted, count_table
from detection.files import DuckTable, UnreadableError, is_text_file, open_files
from detection.inference import Inferred, infer
from detection.profile import WindowProfile
from detection.timing import Span, time_of, within

if TYPE_CHECKING:
    import ibis

__all__ = ["Inferred", "Span", "UnreadableError", "infer_columns", "profile_relation"]

Path = str | PathLike[str]
Relation = "Path | Sequence[Path] | ibis.Table"
"""One file, several files with the same columns (partitions), or an Ibis table."""

Answer = TypeVar("Answer")
_TIMELESS = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def infer_columns(
    relation: "Relation", ignore: Sequence[str] = (), *, target: str | None = None
) -> Inferred:
    """The columns of a table with their kinds, judged by their stored types.

    Text of which nine in ten values read as numbers is numeric (files only). Times, lists and
    structs are left out with a reason. Raises `UnreadableError`.
    """
    return _asked_of(relation, lambda table: infer(table, ignore, target=target))


def profile_relation(
    relation: "Relation",
    columns: Sequence[Column],
    *,
    like: WindowProfile | None = None,
    where: Span | None = None,
    sketches: bool = True,
    model: str = "table",
) -> WindowProfile:
    """Count all columns in one select, over the bins of `like` or over bins of its own.

    `columns` that the table lacks have no value in any row. Bins and categories of a table of more
    than 20,000 rows are taken from a sample; the counts are exact. Without `sketches` numeric
    columns count their different values by bins alone, which is twice as fast. The window is that
    of `where`, or from the oldest row to just after the newest; without any time it is the day of
    1 January 1970. Safe to call from several threads. Raises `UnreadableError`.
    """

    def count(table: DuckTable) -> Counted:
        time = time_of(table, where) if where else None
        chosen = within(table, where) if where else table
        return count_table(chosen, columns, like=like, time=time, sketches=sketches)

    counted = _asked_of(relation, count)
    newest = _instant(counted.newest)
    return WindowProfile(
        model=model,
        window=_window(counted, where),
        columns=counted.columns,
        filled=counted.filled,
        duplicates=counted.duplicates,
        newest=newest,
    )


def _asked_of(relation: "Relation", question: Callable[[DuckTable], Answer]) -> Answer:
    paths = [relation] if isinstance(relation, str | PathLike) else list(relation)
    import duckdb

    try:
        with open_files(paths) as table:
            return question(table)
    except UnreadableError as error:
        mixed = isinstance(
            error.__cause__, duckdb.ConversionException | duckdb.InvalidInputException
        )
        if not mixed or not is_text_file(paths[0]):
            raise
    with open_files(paths, as_text=True) as table:
        return question(table)


def _window(counted: Counted, where: Span | None) -> Window:
    oldest, newest = _instant(counted.oldest), _instant(counted.newest)
    start = (where and where.start) or oldest or _TIMELESS
    end = (where and where.end) or (newest + _TICK if newest else start + timedelta(days=1))
    return Window(start=start, end=end, rows=counted.rows)


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _TIMELESS + timedelta(microseconds=microseconds)

"""Profiles of tables that are not in memory, by aggregate queries: files, databases, warehouses.

Files (Parquet, CSV, gzipped CSV) go straight to DuckDB, anything else is an Ibis table, and what an
engine counts is the same everywhere. Neither Ibis nor pandas is imported unless one is handed in.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from os import PathLike
from typing import TYPE_CHECKING, TypeAlias, TypeVar, Union

from contracts.drift import Window
from detection.columns import Column
from detection.counted import Counted, Plan
from detection.duck import count_table
from detection.files import (
    DuckTable,
    UnreadableError,
    is_text_file,
    open_connected,
    open_files,
)
from detection.inference import Inferred, infer, judge_types
from detection.profile import WindowProfile
from detection.timing import Span

if TYPE_CHECKING:
    import ibis

__all__ = ["Inferred", "Span", "UnreadableError", "infer_columns", "profile_relation"]

Path = str | PathLike[str]
Relation: TypeAlias = Union[Path, Sequence[Path], "ibis.Table"]
"""One file, several files with the same columns (partitions), or an Ibis table."""

Answer = TypeVar("Answer")
_TIMELESS = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def infer_columns(
    relation: Relation, ignore: Sequence[str] = (), *, target: str | None = None
) -> Inferred:
    """The columns of a table with their kinds, judged by their stored types.

    Text of which nine in ten values read as numbers is numeric (files only). Times, lists and
    structs are left out with a reason. Raises `UnreadableError`.
    """
    if isinstance(relation, str | PathLike | Sequence):
        return _of_files(relation, lambda table: infer(table, ignore, target=target))
    if relation.get_backend().name == "duckdb":
        with open_connected(relation) as table:
            return infer(table, ignore, target=target)
    from detection.asking import engine_table  # noqa: PLC0415 - for Ibis tables only

    return judge_types(engine_table(relation).types, ignore, target=target)


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
    of `where`, or from the oldest row to just after the newest; without any time it is the day of
    1 January 1970. Safe to call from several threads. Raises `UnreadableError`.
    """
    plan = Plan(like=like, span=where, sketches=sketches)
    if isinstance(relation, str | PathLike | Sequence):
        counted = _of_files(relation, lambda table: count_table(table, columns, plan))
    elif relation.get_backend().name == "duckdb":
        with open_connected(relation) as table:
            counted = count_table(table, columns, plan)
    else:
        from detection.asking import engine_table  # noqa: PLC0415 - for Ibis tables only
        from detection.engines import count_engine_table  # noqa: PLC0415 - as above

        counted = count_engine_table(engine_table(relation), columns, plan)
    return WindowProfile(
        model=model,
        window=_window(counted, where),
        columns=counted.columns,
        filled=counted.filled,
        duplicates=counted.duplicates,
        newest=counted.newest,
    )


def _of_files(relation: Path | Sequence[Path], question: Callable[[DuckTable], Answer]) -> Answer:
    """Ask the files; where a CSV turns out to be mixed, again with all of it as text."""
    paths = [relation] if isinstance(relation, str | PathLike) else list(relation)
    try:
        with open_files(paths) as table:
            return question(table)
    except UnreadableError as error:
        if not (error.mixed and is_text_file(paths[0])):
            raise
    with open_files(paths, as_text=True) as table:
        return question(table)


def _window(counted: Counted, where: Span | None) -> Window:
    start = (where and where.start) or counted.oldest or _TIMELESS
    end = (where and where.end) or (counted.newest + _TICK if counted.newest else start + _DAY)
    return Window(start=_aware(start), end=_aware(end), rows=counted.rows)


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)

"""The text of SQL statements: quoted names, literals, and the clauses of a SELECT.

All SQL is written in DuckDB's dialect, with functions that the other engines have too:
`trimtab.detection.tables.ibis_engine` translates it.
"""

from collections.abc import Iterable, Sequence


def build_select(
    columns: str | Iterable[str],
    source: str,
    *,
    where: str | Sequence[str] = (),
    group_by: str = "",
    order_by: str = "",
    limit: int | None = None,
) -> str:
    """Return a SELECT statement; several `where` conditions must all hold.

    Names must come from `quote_name` and values from `quote_text` or `format_double`: nothing is
    escaped here.
    """
    listed = columns if isinstance(columns, str) else ", ".join(columns)
    conditions = where if isinstance(where, str) else " AND ".join(where)
    clauses = ["SELECT", listed, "FROM", source]
    clauses += ["WHERE", conditions] if conditions else []
    clauses += ["GROUP BY", group_by] if group_by else []
    clauses += ["ORDER BY", order_by] if order_by else []
    clauses += ["LIMIT", str(limit)] if limit is not None else []
    return " ".join(clauses)


def nest_selects(steps: Iterable[str], source: str) -> str:
    """Return `source` with columns added, each step computed from the columns of the step before.

    Each step lists its columns as SQL with aliases; empty steps are skipped.
    """
    for depth, step in enumerate(filter(None, steps)):
        source = f"({build_select(['*', step], source)}) AS step{depth}"
    return source


def quote_name(name: str) -> str:
    """Return a column's name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_texts(texts: Iterable[str]) -> str:
    """Return texts as a comma-separated list of SQL literals."""
    return ", ".join(quote_text(text) for text in texts)


def format_double(value: float) -> str:
    """Return a number as an SQL literal that every engine reads as exactly this DOUBLE."""
    return f"CAST('{value!r}' AS DOUBLE)"

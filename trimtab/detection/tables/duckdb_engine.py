"""Profiles a DuckDB table: numbers of a small table in memory, everything else by aggregates."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from trimtab.detection.profiles.arrays import AnyArray
from trimtab.detection.profiles.categories import choose_category_bins, count_singletons
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.window_profile import ColumnProfile
from trimtab.detection.tables.duckdb_queries import (
    build_profile,
    query_aggregates,
    query_row_count,
    query_values_near_deciles,
)
from trimtab.detection.tables.duckdb_table import DuckTable, query_in_parallel
from trimtab.detection.tables.profile_building import AggregateRow
from trimtab.detection.tables.profile_plan import ProfilePlan, TableCounts
from trimtab.detection.tables.row_sampling import (
    SAMPLE_ROWS,
    choose_sampled_edges,
    fits_in_memory,
    profile_in_memory,
    sample_values,
)
from trimtab.detection.tables.sql.column_request import ColumnRequest, render_category
from trimtab.detection.tables.table_stats import (
    read_filled_counts,
    read_time,
    render_table_aggregates,
)
from trimtab.detection.tables.time_column import filter_rows, render_time

_COLUMNS_PER_QUERY: Final = 100
"""Columns in one query of categories, and in one of all else."""
MAX_TALLIED_CATEGORIES: Final = 50_000
"""Expected categories above which only some are counted one by one: a tally holds all in memory."""


def profile_duckdb_table(
    table: DuckTable, columns: Sequence[Column], plan: ProfilePlan
) -> TableCounts:
    """Return the profiles of the columns, and the counts of the table as a whole."""
    time = render_time(table, plan.where) if plan.where else None
    table = filter_rows(table, plan.where) if plan.where else table
    rows = query_row_count(table)
    first, *others = [
        [
            plan.request_column(column, index, table.stored(column.name))
            for index, column in enumerate(columns[start : start + _COLUMNS_PER_QUERY])
        ]
        for start in range(0, max(len(columns), 1), _COLUMNS_PER_QUERY)
    ]
    table_aggregates = render_table_aggregates(table, time, rows)
    profiles, table_row = _profile_columns(table, first, plan, rows=rows, beside=table_aggregates)

    def profile(table: DuckTable, requests: Sequence[ColumnRequest]) -> list[ColumnProfile]:
        return _profile_columns(table, requests, plan, rows=rows, table_row=table_row)[0]

    for group in query_in_parallel(table, profile, others):
        profiles.extend(group)
    hashed = table_row["hashed_rows"]
    repeated = (hashed - table_row["distinct_rows"]) / max(hashed, 1)
    filled = read_filled_counts(table, table_row)
    return TableCounts(
        rows=rows,
        columns=tuple(profiles),
        filled=tuple(name for name, count in filled.items() if count),
        duplicates=round(repeated * rows),
        oldest=read_time(table_row, "oldest"),
        newest=read_time(table_row, "newest"),
    )


def _profile_columns(
    table: DuckTable,
    requests: Sequence[ColumnRequest],
    plan: ProfilePlan,
    *,
    rows: int,
    beside: tuple[str, Sequence[str]] | None = None,
    table_row: AggregateRow | None = None,
) -> tuple[list[ColumnProfile], AggregateRow]:
    """Return the profiles of some columns, and the row of aggregates of the table as a whole.

    `beside` asks for the latter, with the source to select from; without it, it is `table_row`.
    """
    small, large = _split_by_method(requests, in_memory=fits_in_memory(table, rows))
    large = _choose_bins(table, large, rows)
    row = query_aggregates(table, large, *(beside or (table.source, ())))
    row = {**row, **query_values_near_deciles(table, large, row)}
    table_row = table_row or row
    needs_hashes = "hashed_rows" not in table_row
    filled = read_filled_counts(table, table_row)
    read = profile_in_memory(
        table, small, plan, filled=filled, rows=rows, count_distinct=needs_hashes
    )
    if needs_hashes:
        table_row = {**table_row, "hashed_rows": rows, "distinct_rows": read.distinct_rows}
    profiles = read.columns | {each.index: build_profile(each, row, rows) for each in large}
    return [profiles[each.index] for each in requests], table_row


def _split_by_method(
    requests: Sequence[ColumnRequest], *, in_memory: bool
) -> tuple[list[ColumnRequest], list[ColumnRequest]]:
    """Return the columns to profile in memory, and those to profile by aggregates."""
    small = [each for each in requests if in_memory and each.is_numeric]
    large = [each for each in requests if not (in_memory and each.is_numeric)]
    return small, large


def _choose_bins(
    table: DuckTable, requests: Sequence[ColumnRequest], rows: int
) -> list[ColumnRequest]:
    """Return the requests with edges, and with `tallied` where categories are too many."""
    bare = [each for each in requests if each.needs_edges]
    edges = choose_sampled_edges(table, bare, rows) if bare else {}
    categories = {
        each.alias("sample"): render_category(each)
        for each in requests
        if not each.is_numeric and rows > SAMPLE_ROWS
    }
    sampled = sample_values(table, categories) if categories else {}
    return [
        replace(each, **edges[each.index]._asdict())
        if each.index in edges
        else _limit_categories(each, sampled.get(each.alias("sample")), rows)
        for each in requests
    ]


def _limit_categories(request: ColumnRequest, sample: AnyArray | None, rows: int) -> ColumnRequest:
    """Return the request with `tallied` where the sample shows too many categories to count all."""
    if sample is None:
        return request
    tally = Counter(sample.tolist())
    expected = len(tally) + count_singletons(tally) / max(len(sample), 1) * rows
    if expected <= MAX_TALLIED_CATEGORIES:
        return request
    if request.categories is None:
        request = replace(request, **choose_category_bins(tally)._asdict())
    names = (*(request.categories or ()), *(request.known or ()))
    return replace(request, tallied=tuple(dict.fromkeys(names)))

"""Runs the aggregate queries on a DuckDB table, and reads a column's profile from their row.

Categories have a query of their own: DuckDB 2.0 plans HISTOGRAM of a value and COUNT(DISTINCT …)
as a GROUP BY each, and keeps every row of the query in memory for it, unless the query selects
nothing else.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from trimtab.detection.profiles.binning import BinEdges
from trimtab.detection.profiles.categories import choose_category_bins, count_singletons
from trimtab.detection.profiles.sampled_deciles import find_decile_bins
from trimtab.detection.profiles.window_profile import ColumnProfile
from trimtab.detection.tables.duckdb_table import DuckTable
from trimtab.detection.tables.profile_building import (
    AggregateRow,
    CategoryCounts,
    build_categorical_profile,
    build_numeric_profile,
    read_sketch,
)
from trimtab.detection.tables.sql.column_request import ColumnRequest
from trimtab.detection.tables.sql.duckdb_expressions import (
    render_category_aggregates,
    render_in_intervals,
    render_numeric_aggregates,
    render_source,
    render_untallied_aggregates,
)
from trimtab.detection.tables.sql.statements import build_select


def query_row_count(table: DuckTable) -> int:
    """Return the number of rows."""
    (row,) = table.connection.execute(build_select("COUNT(*)", table.source)).fetchall()
    return int(row[0])


def query_aggregates(
    table: DuckTable, requests: Sequence[ColumnRequest], source: str, aggregates: Sequence[str]
) -> AggregateRow:
    """Return the aggregates of all columns, and the further `aggregates` over `source`.

    Numbers are first taken to be finite, and columns where that was wrong are queried again: a
    check of each number would make the query a fifth slower.
    """
    hopeful = [replace(each, assume_finite=not each.sketched) for each in requests]
    categorical = [each for each in hopeful if not each.is_numeric]
    row: AggregateRow = {
        **_query_categories(table, categorical),
        **_query_numbers(table, hopeful, source, aggregates),
    }
    wrong = [
        request
        for request, tried in zip(requests, hopeful, strict=True)
        if _met_infinite_number(tried, row)
    ]
    return {**row, **_query_numbers(table, wrong, table.source, ())} if wrong else row


def query_values_near_deciles(
    table: DuckTable, requests: Sequence[ColumnRequest], row: AggregateRow
) -> AggregateRow:
    """Return all values in the bins that hold deciles, for columns with edges from a sample."""
    wanted = []
    for each in requests:
        if not (each.edges and each.needs_edges):
            continue
        bins = find_decile_bins(BinEdges(each.edges, each.cuts), _read_bin_counts(each, row))
        if bins:
            number = each.alias("number")
            inside = render_in_intervals(number, bins)
            wanted.append(f"LIST({number}) FILTER (WHERE {inside}) AS {each.alias('near_deciles')}")
    hopeful = [replace(each, assume_finite=True) for each in requests if each.needs_edges]
    return _query_row(table, wanted, render_source(table.source, hopeful, ())) if wanted else {}


def build_profile(request: ColumnRequest, row: AggregateRow, rows: int) -> ColumnProfile:
    """Return a column's profile from the row of aggregates."""
    if request.is_numeric:
        counts = _read_bin_counts(request, row)
        return build_numeric_profile(request, row, rows=rows, counts=counts)
    return _build_category_profile(request, row, rows)


def _query_numbers(
    table: DuckTable, requests: Sequence[ColumnRequest], source: str, aggregates: Sequence[str]
) -> AggregateRow:
    """Return the aggregates of everything but the tallies of categories."""
    numeric = [each for each in requests if each.is_numeric]
    partly_tallied = [each for each in requests if each.tallied is not None]
    wanted = list(aggregates)
    for each in numeric:
        wanted.extend(render_numeric_aggregates(each))
    for each in partly_tallied:
        wanted.extend(render_untallied_aggregates(each))
    return (
        _query_row(table, wanted, render_source(source, numeric, partly_tallied)) if wanted else {}
    )


def _query_categories(table: DuckTable, categorical: Sequence[ColumnRequest]) -> AggregateRow:
    wanted = [aggregate for each in categorical for aggregate in render_category_aggregates(each)]
    return _query_row(table, wanted, render_source(table.source, (), categorical)) if wanted else {}


def _query_row(table: DuckTable, aggregates: Sequence[str], source: str) -> AggregateRow:
    cursor = table.connection.execute(build_select(aggregates, source))
    names = [name for name, *_ in cursor.description or ()]
    (row,) = cursor.fetchall()  # a result that is not read to its end keeps the connection busy
    return dict(zip(names, row, strict=True))


def _met_infinite_number(request: ColumnRequest, row: AggregateRow) -> bool:
    std = row.get(request.alias("std"))
    return request.assume_finite and std is not None and not math.isfinite(std)


def _read_bin_counts(request: ColumnRequest, row: AggregateRow) -> tuple[int, ...]:
    if not request.edges:
        return (int(row[request.alias("value_count")]),)
    bins = row[request.alias("bins")] or {}
    return (*(int(bins.get(edge, 0)) for edge in request.edges), int(bins.get(np.inf, 0)))


def _build_category_profile(request: ColumnRequest, row: AggregateRow, rows: int) -> ColumnProfile:
    tally = {name: int(count) for name, count in (row[request.alias("tally")] or {}).items()}
    if request.categories is None:
        request = replace(request, **choose_category_bins(tally)._asdict())
    hashed = row.get(request.alias("hashed")) or {}
    is_complete = request.tallied is None
    found = CategoryCounts(
        value_count=int(row[request.alias("value_count")]),
        tally=tally,
        hashed={f"{int(digits):x}": int(count) for digits, count in hashed.items() if count},
        sketch=None if is_complete else read_sketch(request, row),
        once=count_singletons(tally) if is_complete else None,
    )
    return build_categorical_profile(request, found, rows=rows)

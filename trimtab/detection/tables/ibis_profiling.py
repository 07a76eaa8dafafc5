"""Profiles a table of any engine that Ibis knows, such as PostgreSQL, Spark or BigQuery.

Two queries of standard SQL cover all columns: one of plain aggregates, and one whose GROUPING SETS
count the bins and the categories of every column in one scan. For a reference, a sample is drawn
first. sqlglot translates the SQL from DuckDB's dialect. It means the same in each engine, so over
the same bins the profiles are equal, up to the rounding of mean and standard deviation.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import numpy as np

from trimtab.detection.profiles.binning import choose_edges
from trimtab.detection.profiles.categories import choose_category_bins
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.distinct_count import encode_sketch
from trimtab.detection.profiles.window_profile import MAX_KNOWN_CATEGORIES, ColumnProfile
from trimtab.detection.tables.column_types import StorageType
from trimtab.detection.tables.ibis_engine import TABLE_ALIAS, EngineTable, filter_engine_rows
from trimtab.detection.tables.profile_building import (
    AggregateRow,
    CategoryCounts,
    build_categorical_profile,
    build_numeric_profile,
)
from trimtab.detection.tables.profile_plan import ProfilePlan, TableCounts
from trimtab.detection.tables.sql.aggregates import (
    name_filled_count,
    render_filled_count,
    render_moments,
    render_sketch_bits,
)
from trimtab.detection.tables.sql.column_request import ColumnRequest, render_number
from trimtab.detection.tables.sql.engine_expressions import render_engine_source, render_grouping
from trimtab.detection.tables.sql.statements import build_select, quote_name
from trimtab.detection.tables.utc_times import convert_to_utc

_COLUMNS_PER_QUERY: Final = 30
"""Columns in one query: engines limit the size of what they compile."""
_SAMPLE_ROWS: Final = 20_000
"""Rows that are drawn to choose edges."""
_TEMPORARY_EDGES: Final = 10
"""Edges around each decile of the sample; the one at the decile of all rows stays."""


def profile_engine_table(
    table: EngineTable, columns: Sequence[Column], plan: ProfilePlan
) -> TableCounts:
    """Return the profiles of the columns, and the counts of the table as a whole."""
    table = filter_engine_rows(table, plan.where)
    profiles: list[ColumnProfile] = []
    table_row: AggregateRow = {}
    for start in range(0, max(len(columns), 1), _COLUMNS_PER_QUERY):
        requests = [
            plan.request_column(column, index, table.types.get(column.name))
            for index, column in enumerate(columns[start : start + _COLUMNS_PER_QUERY])
        ]
        requests = _choose_bins(table, requests)
        row = _query_aggregates(table, requests, plan if not table_row else None)
        table_row = table_row or row
        profiles.extend(_query_profiles(table, requests, row))
    return TableCounts(
        rows=table.rows,
        columns=tuple(profiles),
        filled=tuple(
            name for index, name in enumerate(table.types) if table_row[name_filled_count(index)]
        ),
        duplicates=table.rows - _query_distinct_rows(table),
        oldest=_read_time(table_row, "oldest"),
        newest=_read_time(table_row, "newest"),
    )


def _choose_bins(table: EngineTable, requests: Sequence[ColumnRequest]) -> list[ColumnRequest]:
    """Return the requests with edges from a sample for numeric columns that have none yet."""
    bare = [each for each in requests if each.needs_edges]
    if not bare:
        return list(requests)
    columns = [f"{render_number(each)} AS {each.alias('sample')}" for each in bare]
    drawn = table.query(table.render_sample(columns, _SAMPLE_ROWS))
    temporary = _TEMPORARY_EDGES if table.is_sampled(_SAMPLE_ROWS) else 0
    edges = {}
    for each in bare:
        found = (row[each.alias("sample")] for row in drawn)
        values = np.asarray([value for value in found if value is not None], dtype="float64")
        edges[each.index] = choose_edges(values, temporary=temporary)
    return [
        replace(each, **edges[each.index]._asdict()) if each.index in edges else each
        for each in requests
    ]


def _query_aggregates(
    table: EngineTable, requests: Sequence[ColumnRequest], plan: ProfilePlan | None
) -> AggregateRow:
    """Return moments, nulls and sketches of the columns; with a plan, of the table as well."""
    wanted: list[str] = []
    for each in requests:
        if each.is_numeric:
            wanted += render_moments(each)
        else:
            wanted.append(f"COUNT({each.alias('category')}) AS {each.alias('value_count')}")
        if each.is_numeric and each.sketched:
            aliases = each.alias("sketch_low"), each.alias("sketch_high")
            wanted += render_sketch_bits(each.alias("cell"), aliases)
    if plan is not None:
        wanted += [
            render_filled_count(index, name, storage)
            for index, (name, storage) in enumerate(table.types.items())
        ]
        if plan.where is not None:
            time_column = quote_name(plan.where.timestamp)
            wanted += [f"MIN({time_column}) AS oldest", f"MAX({time_column}) AS newest"]
    return table.query(build_select(wanted, render_engine_source(requests, TABLE_ALIAS)))[0]


def _query_profiles(
    table: EngineTable, requests: Sequence[ColumnRequest], row: AggregateRow
) -> Iterator[ColumnProfile]:
    """Yield the columns' profiles, from the aggregates and from the counts of bins."""
    groups: dict[int, list[dict[str, Any]]] = defaultdict(list)
    if requests:
        query = render_grouping(requests, TABLE_ALIAS, has_width_bucket=table.has_width_bucket)
        for group in table.query(query):
            if group["which"] is not None:  # it is for missing values
                groups[int(group["which"])].append(group)
    for each in requests:
        if each.is_numeric:
            counts = [0] * (len(each.edges) + 1)
            for group in groups[each.index]:
                counts[int(group["bin"])] = int(group["n"])
            yield build_numeric_profile(each, row, rows=table.rows, counts=tuple(counts))
        else:
            value_count = int(row[each.alias("value_count")])
            yield _build_category_profile(
                each, groups[each.index], rows=table.rows, value_count=value_count
            )


def _build_category_profile(
    request: ColumnRequest, groups: Sequence[Mapping[str, Any]], *, rows: int, value_count: int
) -> ColumnProfile:
    tally = {str(row["category"]): int(row["n"]) for row in groups if row["category"] is not None}
    hashed = {str(row["digits"]): int(row["n"]) for row in groups if row["category"] is None}
    if request.categories is None:
        request = replace(request, **choose_category_bins(tally)._asdict())
    sketch, first = None, groups[0] if groups else {"groups": 0, "once": 0}
    if int(first["groups"]) > MAX_KNOWN_CATEGORIES:
        request = replace(request, tallied=tuple(tally))
        sketch = encode_sketch(int(first["sketch_low"] or 0), int(first["sketch_high"] or 0))
    found = CategoryCounts(
        value_count=value_count, tally=tally, hashed=hashed, sketch=sketch, once=int(first["once"])
    )
    return build_categorical_profile(request, found, rows=rows)


def _read_time(row: AggregateRow, name: str) -> datetime | None:
    found = row.get(name)
    return None if found is None else convert_to_utc(found)


def _query_distinct_rows(table: EngineTable) -> int:
    """Return the number of different rows, by the columns that can be compared."""
    names = [quote_name(n) for n, kind in table.types.items() if kind is not StorageType.OTHER]
    distinct = build_select(f"DISTINCT {', '.join(names) or '1'}", TABLE_ALIAS)
    return int(table.query(build_select("COUNT(*) AS n", f"({distinct}) AS t"))[0]["n"])

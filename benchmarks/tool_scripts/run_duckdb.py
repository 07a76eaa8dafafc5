"""The lower bound: one pass of DuckDB over each file that only counts, over known edges.

The edges are beside the reference, in `edges.json`: {"column": [edges] or null for categories}.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
from timing import time_work


def compare_files(reference: Path, current: Path) -> object:
    """Compute the histograms and moments of both files."""
    edges = json.loads((reference.parent / "edges.json").read_text())
    query = f"SELECT {', '.join(list_aggregates(edges))} FROM read_parquet(?)"  # noqa: S608 - the names come from our own file
    connection = duckdb.connect()
    return [connection.execute(query, [str(path)]).fetchall() for path in (reference, current)]


def list_aggregates(edges: dict[str, list[float] | None]) -> Iterator[str]:
    """Yield the aggregates of each column, as SQL."""
    yield "count(*)"
    for name, bounds in edges.items():
        if bounds is None:
            yield f'histogram("{name}")'
        else:
            listed = f"CAST('{bounds}' AS DOUBLE[])"  # DuckDB plans a list of numbers slowly
            yield f'histogram("{name}", {listed}), count("{name}"), avg("{name}")'
            yield f'stddev_pop("{name}"), min("{name}"), max("{name}")'


if __name__ == "__main__":
    time_work(compare_files)

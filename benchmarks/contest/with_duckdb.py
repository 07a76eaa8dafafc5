"""The floor: one pass of DuckDB over each file that only counts, over edges that are known.

The edges lie beside the reference, in `edges.json`: {"column": [edges] or null for categories}.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
from timed import timed


def work(reference: Path, current: Path) -> object:
    """The histograms and moments of both files."""
    edges = json.loads((reference.parent / "edges.json").read_text())
    query = f"SELECT {', '.join(counted(edges))} FROM read_parquet(?)"  # noqa: S608 - the names are ours
    connection = duckdb.connect()
    return [connection.execute(query, [str(path)]).fetchall() for path in (reference, current)]


def counted(edges: dict[str, list[float] | None]) -> Iterator[str]:
    """What is selected for each column."""
    yield "count(*)"
    for name, bounds in edges.items():
        if bounds is None:
            yield f'histogram("{name}")'
        else:
            listed = f"CAST('{bounds}' AS DOUBLE[])"  # planned much faster than a list of numbers
            yield f'histogram("{name}", {listed}), count("{name}"), avg("{name}")'
            yield f'stddev_pop("{name}"), min("{name}"), max("{name}")'


if __name__ == "__main__":
    timed(work)

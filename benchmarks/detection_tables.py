"""Writes the tables that detection is timed on: the same rows for the same size, every time.

`python benchmarks/detection_tables.py FOLDER ROWS COLUMNS` writes `reference.parquet`,
`current.parquet` and `edges.json` into the folder. It is a process of its own because its memory
must not be counted.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NUMERIC_COLUMNS_IN_TEN: Final = 7
"""Number of numeric columns among ten neighbouring ones."""
DRIFTED_COLUMN_STEP: Final = 6
"""Distance between two drifted columns."""
EDGE_COUNT: Final = 255
SAMPLE_ROWS: Final = 20_000
VALUES_PER_CHUNK: Final = 5_000_000
"""Number of values that are in memory at the same time."""
_MISSING_SHARE: Final = 0.01


def write_tables(folder: Path, *, rows: int, columns: int) -> None:
    """Write both tables and the edges of the reference's 256 bins."""
    folder.mkdir(parents=True, exist_ok=True)
    for side, name in enumerate(("reference", "current")):
        _write_table(folder / f"{name}.parquet", rows=rows, columns=columns, drifted=bool(side))
    edges = compute_edges(folder / "reference.parquet", columns=columns)
    (folder / "edges.json").write_text(json.dumps(edges))


def _write_table(path: Path, *, rows: int, columns: int, drifted: bool) -> None:
    random = np.random.default_rng([rows, columns, drifted])
    chunk_rows = max(VALUES_PER_CHUNK // columns, 1)
    writer = None
    for start in range(0, rows, chunk_rows):
        count = min(chunk_rows, rows - start)
        arrays = {
            _name_column(index): _draw_values(index, count, random, drifted=drifted)
            for index in range(columns)
        }
        chunk = pa.table(arrays)
        writer = writer or pq.ParquetWriter(path, chunk.schema)
        writer.write_table(chunk)
    if writer:
        writer.close()


def _draw_values(index: int, count: int, random: np.random.Generator, *, drifted: bool) -> Any:  # noqa: ANN401 - an Arrow array
    """Draw numbers of five shapes, or categories of 2 to 200 names; 1 % of them are missing."""
    shift = 0.5 if drifted and index % DRIFTED_COLUMN_STEP == 0 else 0.0
    missing = random.random(count) < _MISSING_SHARE
    if index % 10 >= NUMERIC_COLUMNS_IN_TEN:
        names = (2, 5, 12, 40, 200)[index % 5]
        codes = (names * random.random(count) ** (2 - shift)).astype("int32")
        words = pa.array([f"name {code}" for code in range(names)])
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=missing), words).cast("string")
    match index % 5:
        case 0:
            numbers = random.normal(shift, size=count)
        case 1:
            numbers = random.lognormal(shift, size=count)
        case 2:
            numbers = 1000 * (random.random(count) + shift)
        case 3:
            numbers = np.floor(random.exponential(20 * (1 + shift), size=count))
        case _:
            numbers = random.exponential(size=count)
            numbers[random.random(count) < 0.4 + shift] = 0.0
    return pa.array(numbers, mask=missing)


def compute_edges(path: Path, *, columns: int) -> dict[str, list[float] | None]:
    """Return quantiles of a sample by column, which a tool may know in advance; None for text."""
    fractions = [(index + 1) / (EDGE_COUNT + 1) for index in range(EDGE_COUNT)]
    numeric = [
        _name_column(index) for index in range(columns) if index % 10 < NUMERIC_COLUMNS_IN_TEN
    ]
    selected = ", ".join(f'quantile_cont("{name}", {fractions})' for name in numeric)
    sample = f"FROM '{path}' USING SAMPLE reservoir({SAMPLE_ROWS} ROWS) REPEATABLE (1)"
    row = duckdb.execute(f"SELECT {selected} {sample}").fetchone() or ()
    known = {name: sorted(set(edges)) for name, edges in zip(numeric, row, strict=True)}
    return {_name_column(index): known.get(_name_column(index)) for index in range(columns)}


def _name_column(index: int) -> str:
    return f"{'number' if index % 10 < NUMERIC_COLUMNS_IN_TEN else 'word'}_{index}"


if __name__ == "__main__":
    write_tables(Path(sys.argv[1]), rows=int(sys.argv[2]), columns=int(sys.argv[3]))

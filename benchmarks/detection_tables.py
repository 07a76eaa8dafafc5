"""Makes the tables that detection is timed on: the same rows for the same size, every time.

`python benchmarks/detection_tables.py FOLDER ROWS COLUMNS` writes `reference.parquet`,
`current.parquet` and `edges.json` there, in a process of its own, for its memory must not count.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NUMERIC_OF_TEN: Final = 7
"""Of ten columns so many are numeric."""
DRIFTED_EVERY: Final = 6
"""Every so manieth column drifts."""
EDGES: Final = 255
SAMPLE: Final = 20_000
CELLS: Final = 5_000_000
"""Values made at a time."""
_MISSING: Final = 0.01


def make(folder: Path, *, rows: int, columns: int) -> None:
    """Write both tables and the edges of the reference's 256 bins."""
    folder.mkdir(parents=True, exist_ok=True)
    for side, name in enumerate(("reference", "current")):
        _write(folder / f"{name}.parquet", rows=rows, columns=columns, drifted=bool(side))
    found = edges(folder / "reference.parquet", columns=columns)
    (folder / "edges.json").write_text(json.dumps(found))


def _write(path: Path, *, rows: int, columns: int, drifted: bool) -> None:
    random = np.random.default_rng([rows, columns, drifted])
    at_once = max(CELLS // columns, 1)
    writer = None
    for start in range(0, rows, at_once):
        count = min(at_once, rows - start)
        arrays = {
            _name(place): _values(place, count, random, drifted=drifted) for place in range(columns)
        }
        part = pa.table(arrays)
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    if writer:
        writer.close()


def _values(place: int, count: int, random: np.random.Generator, *, drifted: bool) -> Any:  # noqa: ANN401 - an Arrow array
    """Numbers of five shapes or categories of 2 to 200 names, 1 % of them missing."""
    shift = 0.5 if drifted and place % DRIFTED_EVERY == 0 else 0.0
    missing = random.random(count) < _MISSING
    if place % 10 >= NUMERIC_OF_TEN:
        names = (2, 5, 12, 40, 200)[place % 5]
        codes = (names * random.random(count) ** (2 - shift)).astype("int32")
        words = pa.array([f"name {code}" for code in range(names)])
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=missing), words).cast("string")
    match place % 5:
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


def edges(path: Path, *, columns: int) -> dict[str, list[float] | None]:
    """Quantiles of a sample, which a contestant may know beforehand."""
    fractions = [(place + 1) / (EDGES + 1) for place in range(EDGES)]
    numeric = [_name(place) for place in range(columns) if place % 10 < NUMERIC_OF_TEN]
    selected = ", ".join(f'quantile_cont("{name}", {fractions})' for name in numeric)
    sample = f"FROM '{path}' USING SAMPLE reservoir({SAMPLE} ROWS) REPEATABLE (1)"
    row = duckdb.execute(f"SELECT {selected} {sample}").fetchone() or ()
    known = {name: sorted(set(found)) for name, found in zip(numeric, row, strict=True)}
    return {_name(place): known.get(_name(place)) for place in range(columns)}


def _name(place: int) -> str:
    return f"{'number' if place % 10 < NUMERIC_OF_TEN else 'word'}_{place}"


if __name__ == "__main__":
    make(Path(sys.argv[1]), rows=int(sys.argv[2]), columns=int(sys.argv[3]))

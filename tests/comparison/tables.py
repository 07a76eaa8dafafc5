"""Two tables, of which one column drifted, in every form that can be compared."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import duckdb
import ibis
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from trimtab.comparison.table_sources import TableLike

ROWS: Final = 2000


def make_frame(seed: int, *, shift: float = 0.0, rows: int = ROWS) -> pd.DataFrame:
    """Return numbers, whole numbers, categories, truth values and times, some of them missing."""
    random = np.random.default_rng(seed)
    income = random.lognormal(10.0, 0.5, rows) * (1.0 + shift)
    income[::50] = np.nan
    return pd.DataFrame(
        {
            "at": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(rows), unit="min"),
            "income": income,
            "age": random.integers(18, 90, rows),
            "city": random.choice(np.array(["London", "Paris", "Rome", None]), rows),
            "member": random.choice([True, False], rows),
        }
    )


def write_parquet(frame: pd.DataFrame, folder: Path, name: str) -> Path:
    path = folder / f"{name}.parquet"
    frame.to_parquet(path, index=False)
    return path


def write_csv(frame: pd.DataFrame, folder: Path, name: str) -> str:
    path = folder / f"{name}.csv"
    frame.to_csv(path, index=False)
    return str(path)


def make_relation(frame: pd.DataFrame, folder: Path, name: str) -> Any:
    path = write_parquet(frame, folder, f"{name}-relation")
    return duckdb.connect().read_parquet(str(path))


def make_database_url(frame: pd.DataFrame, folder: Path, name: str) -> str:
    path = folder / f"{name}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE rows AS FROM frame")
    return f"duckdb://{path}?table=rows"


def make_ibis_table(frame: pd.DataFrame, folder: Path, name: str) -> Any:
    path = write_parquet(frame, folder, f"{name}-ibis")
    return ibis.duckdb.connect().read_parquet(path)


FORMS: Final[Mapping[str, Callable[[pd.DataFrame, Path, str], TableLike]]] = {
    "pandas": lambda frame, _, __: frame,
    "polars": lambda frame, _, __: pl.from_pandas(frame),
    "arrow": lambda frame, _, __: pa.Table.from_pandas(frame, preserve_index=False),
    "arrow stream": lambda frame, _, __: pa.Table.from_pandas(
        frame, preserve_index=False
    ).to_reader(),
    "duckdb relation": make_relation,
    "ibis table": make_ibis_table,
    "ibis table in memory": lambda frame, _, __: ibis.memtable(pl.from_pandas(frame)),
    "ibis table of polars": lambda frame, _, name: ibis.polars.connect(
        tables={f"t{name}": pl.from_pandas(frame)}
    ).table(f"t{name}"),
    "parquet path": write_parquet,
    "csv path": write_csv,
    "database url": make_database_url,
}
"""How a table is given, by what it is."""

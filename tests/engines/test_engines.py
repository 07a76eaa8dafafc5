"""The same rows give the same profile in each engine."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.detection.tables.profiling import infer_columns, profile_relation
from trimtab.detection.tables.row_filter import RowFilter

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # PySpark's, after each answer
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # as above
]

START = datetime(2026, 1, 5, tzinfo=UTC)
ROWS = 4000
UUIDS = "SELECT uuid() AS id, i % 5 AS five FROM range(50) AS t(i)"


def rows(seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    price = random.gamma(4.0, 5.0, ROWS)
    price[:5] = [np.nan, np.inf, -np.inf, 1e12, 0.0]
    gone = random.random(ROWS) < 0.1
    shop = random.choice(["north", "söuth", "it's", ""], ROWS)
    return pa.table(
        {
            "at": pa.array([START + timedelta(minutes=n) for n in range(ROWS)], pa.timestamp("us")),
            "price": pa.array(price, mask=gone),
            "pieces": pa.array(random.integers(0, 30, ROWS)),
            "cost in €": pa.array(random.integers(0, 900, ROWS)).cast(pa.decimal128(21, 2)),
            "flag": pa.array(random.random(ROWS) < 0.3, mask=gone),
            "shop": pa.array(shop, mask=random.random(ROWS) < 0.05),
            "code": pa.array(random.integers(0, 9, ROWS)),
            "person": pa.array([f"p{n}" for n in random.integers(0, 3000, ROWS)]),
            "town": pa.array([f"t{n}" for n in random.zipf(1.5, ROWS) % 700]),
            "said": pa.array(random.choice(["1", " 2.5", "-3e1", "x", "inf", "nan"], ROWS)),
            "nothing": pa.nulls(ROWS, pa.float64()),
        }
    )


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "reference.parquet"
    parquet.write_table(rows(0), path)
    return path


@pytest.fixture(scope="module")
def current(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "current.parquet"
    parquet.write_table(rows(1), path)
    return path


def columns(path: Path) -> tuple[Column, ...]:
    found = infer_columns(path, ["said", "code"]).columns
    as_told = [("said", FeatureKind.NUMERIC), ("code", FeatureKind.CATEGORICAL)]
    return (
        *(c.model_copy(update={"maximum": 50.0}) if c.name == "price" else c for c in found),
        *(Column(name=name, kind=kind) for name, kind in as_told),
    )


def told(profile: WindowProfile) -> dict[str, Any]:
    """Without the two figures that rounding may change."""
    parts = {"columns": {"__all__": {"mean", "std"}}}
    return profile.model_dump(exclude=parts)


def same(one: WindowProfile, other: WindowProfile) -> None:
    assert told(one) == told(other)
    for mine, yours in zip(one.columns, other.columns, strict=True):
        for left, right in ((mine.mean, yours.mean), (mine.std, yours.std)):
            assert left == (right and pytest.approx(right, rel=1e-9))


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """What PySpark leaves open is closed while its warnings are expected."""
    yield
    gc.collect()


@pytest.fixture(params=["duckdb", "postgresql", "spark"])
def engine(request: pytest.FixtureRequest) -> Any:
    if request.param == "duckdb":
        return ibis.duckdb.connect()
    return request.getfixturevalue(request.param)


def put(engine: Any, name: str, path: Path) -> Any:
    if engine.name in ("duckdb", "pyspark"):
        return engine.read_parquet(path, table_name=name)
    return engine.create_table(name, parquet.read_table(path))


def test_a_reference_has_the_same_profile_in_each_engine(engine: Any, reference: Path) -> None:
    table = put(engine, "before", reference)

    same(
        profile_relation(table, columns(reference)),
        profile_relation(reference, columns(reference)),
    )


def test_a_window_has_the_same_profile_over_the_same_bins_in_each_engine(
    engine: Any, reference: Path, current: Path
) -> None:
    like = profile_relation(reference, columns(reference))
    table = put(engine, "now", current)
    span = RowFilter("at", START + timedelta(minutes=500), START + timedelta(minutes=2500))

    found = profile_relation(table, columns(reference), like=like, where=span)

    assert found.window.rows == 2000
    assert found.newest == START + timedelta(minutes=2499)
    same(found, profile_relation(current, columns(reference), like=like, where=span))


def test_a_window_that_is_not_given_is_the_same_in_each_engine(
    engine: Any, reference: Path
) -> None:
    table = put(engine, "whenever", reference)

    found = profile_relation(table, columns(reference), where=RowFilter("at"))

    assert found.newest == START + timedelta(minutes=ROWS - 1)
    assert (found.window.start, found.untimed) == (START, 0)
    same(found, profile_relation(reference, columns(reference), where=RowFilter("at")))


def test_an_empty_window_has_a_profile_in_each_engine(engine: Any, reference: Path) -> None:
    like = profile_relation(reference, columns(reference))
    table = put(engine, "none_then", reference)
    span = RowFilter("at", START - timedelta(days=2), START - timedelta(days=1))

    found = profile_relation(table, columns(reference), like=like, where=span)

    assert found.window.rows == 0
    same(found, profile_relation(reference, columns(reference), like=like, where=span))


def test_each_engine_tells_numbers_from_categories_alike(engine: Any, reference: Path) -> None:
    table = put(engine, "kinds", reference)

    assert infer_columns(table) == infer_columns(reference)


def test_identifiers_are_not_watched_in_any_engine(engine: Any, tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    orders = [f"order {n}" for n in range(400)]
    shops = [f"shop {n % 300}" for n in range(400)]
    parquet.write_table(pa.table({"order": orders, "shop": shops}), path)

    found = infer_columns(put(engine, "orders", path))

    assert found == infer_columns(path)
    assert [each.name for each in found.columns] == ["shop"]
    assert "identifier" in found.left_out["order"]
    assert len(infer_columns(put(engine, "labels", path), target="order").columns) == 2


def test_columns_of_uuids_are_not_watched(postgresql: Any) -> None:
    rows = "SELECT gen_random_uuid() AS id, i % 5 AS five FROM generate_series(1, 50) AS t(i)"
    with postgresql.begin() as cursor:
        cursor.execute(f"CREATE TABLE uuids AS {rows}")

    duck = ibis.duckdb.connect()
    duck.raw_sql(f"CREATE TABLE uuids AS {UUIDS}")

    for connection in (postgresql, duck):
        found = infer_columns(connection.table("uuids"))

        assert [each.name for each in found.columns] == ["five"]
        assert "UUID" in found.left_out["id"]

"""A model's history in PostgreSQL or in Spark: only the catalog's entry tells them apart."""

import gc
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from tests.deployment import Run
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.detection.tables.profiling import infer_columns, profile_relation
from trimtab.runtime.paths import SHIPPED

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # PySpark's, after each answer
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # as above
    pytest.mark.filterwarnings("ignore:The 'future.infer_string' option"),  # Ibis 12 on pandas 3
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),  # PySpark 4 on pandas 3
]

WINDOW = {"start": "2016-11-01T00:00:00Z", "end": "2016-11-08T00:00:00Z", "detailed": True}
SECRET = "not-to-be-told"


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """What PySpark leaves open is closed while its warnings are expected."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def parks() -> pa.Table:
    return csv.read_csv(SHIPPED / "data" / "01_raw" / "birmingham_parking_2016.csv.gz")


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Says where the history is, in a folder of the test's own."""
    local = tmp_path / "conf" / "local"
    local.mkdir(parents=True)
    (local / "credentials.yml").write_text(f"warehouse: {{password: {SECRET}}}\n")

    def write(connection: str, table: str = "parking", schema: str | None = None) -> None:
        entry = f"birmingham-parking:\n  type: ibis.TableDataset\n  table_name: {table}\n"
        entry += f"  database: {schema}\n  credentials: warehouse\n" if schema else ""
        (local / "catalog.yml").write_text(f"{entry}  connection: {{{connection}}}\n")
        monkeypatch.chdir(tmp_path)

    return write


@pytest.fixture(scope="module")
def server(postgresql: Any, parks: pa.Table) -> Any:
    """PostgreSQL with the car parks in a schema of their own, whose name must be quoted."""
    cursor = postgresql.raw_sql('CREATE SCHEMA "Ops"')
    cursor.execute(
        'CREATE TABLE "Ops".parking ("SystemCodeNumber" text, "Capacity" int, "Occupancy" int,'
        ' "LastUpdated" timestamptz)'
    )
    with cursor.copy('COPY "Ops".parking FROM STDIN') as copy:
        for row in parks.to_pylist():
            copy.write_row(row.values())
    cursor.close()
    return postgresql


@pytest.fixture
def in_postgresql(server: Any, catalog: Any) -> str:
    """The connection of the entry for them."""
    port = server.con.info.port
    connection = (
        f"backend: postgres, host: 127.0.0.1, port: {port}, user: trimtab, database: postgres"
    )
    catalog(connection, schema="Ops")
    return connection


@pytest.fixture
def in_spark(request: pytest.FixtureRequest, catalog: Any, parks: pa.Table, tmp_path: Path) -> None:
    parquet.write_table(parks, tmp_path / "parks.parquet")
    session = request.getfixturevalue("spark")
    session.read_parquet(tmp_path / "parks.parquet", table_name="parking")
    catalog("backend: pyspark")


def alike(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """What is measured there and here, but for the last digits of means."""
    assert (found["rows"], found["note"]) == (expected["rows"], expected["note"])
    assert found["metric"]["value"] == pytest.approx(expected["metric"]["value"])
    mine, yours = (
        [(each["counts"], each["nulls"]) for each in report["profiles"][1]["columns"]]
        for report in (found, expected)
    )
    assert mine == yours


def test_a_window_measures_alike_in_postgresql_and_in_a_file(
    parking: Run, request: pytest.FixtureRequest
) -> None:
    expected = parking("monitoring", **WINDOW)
    request.getfixturevalue("in_postgresql")

    alike(parking("monitoring", **WINDOW), expected)


def test_a_window_measures_alike_in_spark_and_in_a_file(
    parking: Run, request: pytest.FixtureRequest
) -> None:
    expected = parking("monitoring", **WINDOW)
    request.getfixturevalue("in_spark")

    alike(parking("monitoring", **WINDOW), expected)


def test_only_aggregates_and_the_rows_of_a_window_leave_the_server(
    parking: Run, in_postgresql: str, postgresql: Any
) -> None:
    before = len(_log(postgresql))

    parking("timeline")
    parking("monitoring", **WINDOW)

    asked = re.findall(r"LOG:  (?:statement|execute [^:]*): (.*)", _log(postgresql)[before:])
    about = [each for each in asked if '"parking"' in each and "LIMIT 0" not in each]
    rows = [each for each in about if re.match(r"(DECLARE .* FOR )?SELECT \*|SELECT \"", each)]
    assert rows
    assert [each for each in rows if '"LastUpdated" <' not in each] == []
    assert len(about) > len(rows)


def test_what_opens_the_engine_is_kept_nowhere(
    parking: Run, in_postgresql: str, trained_home: Path
) -> None:
    parking("monitoring", **WINDOW)

    kept = [path for path in trained_home.rglob("*") if path.is_file()]
    assert kept
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []


def test_a_server_that_is_away_may_be_asked_again_and_a_missing_table_may_not(
    parking: Run, catalog: Any, in_postgresql: str
) -> None:
    catalog(in_postgresql, table="nowhere", schema="Ops")
    with pytest.raises(Refused, match="no table nowhere"):
        parking("monitoring", **WINDOW)

    catalog(re.sub(r"port: \d+", "port: 1", in_postgresql), schema="Ops")
    with pytest.raises(Unavailable, match="cannot be reached") as found:
        parking("monitoring", **WINDOW)

    assert SECRET not in str(found.value)
    catalog(in_postgresql, schema="Ops")
    assert parking("monitoring", **WINDOW)["rows"] > 0


def test_columns_that_only_postgresql_has_do_not_stop_the_others(postgresql: Any) -> None:
    made = (
        'CREATE TABLE odd ("Mixed Case" float8, n numeric, paid money, o oid, place point, j jsonb,'
        " r int4range); INSERT INTO odd SELECT CASE WHEN i < 5 THEN 'NaN'::float8 ELSE i END,"
        " CASE WHEN i < 9 THEN 'NaN'::numeric ELSE i END, 12.5::money, 26::oid, point '(1,2)',"
        " '{}'::jsonb, '[1,5)'::int4range FROM generate_series(1, 100) AS i"
    )
    for statement in made.split("; "):
        postgresql.raw_sql(statement).close()
    table = postgresql.table("odd")

    columns = infer_columns(table)
    found = profile_relation(table, columns.columns)

    assert list(columns.left_out) == ["paid", "o", "place", "j", "r"]
    assert [(each.column.name, each.nulls) for each in found.columns] == [
        ("Mixed Case", 4),
        ("n", 8),
    ]


def _log(server: Any) -> str:
    where = "current_setting('unix_socket_directories') || '/log'"
    cursor = server.raw_sql(f"SELECT pg_read_file({where})")
    text = str(cursor.fetchone()[0])
    cursor.close()
    return text

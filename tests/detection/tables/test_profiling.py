"""Tables in files, profiled by DuckDB."""

import gzip
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from trimtab.contracts.drift import FeatureKind, FeatureRole
from trimtab.detection.profiles.categories import HASH_BINS
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.frames import profile_column
from trimtab.detection.profiles.frequent_values import FREQUENT_VALUE_TOLERANCE
from trimtab.detection.profiles.merging import merge_columns
from trimtab.detection.profiles.window_profile import ColumnProfile, coarsen_bins
from trimtab.detection.tables.duckdb_table import UnreadableError
from trimtab.detection.tables.profiling import infer_columns, profile_relation
from trimtab.detection.tables.row_filter import RowFilter

START = datetime(2026, 1, 5, tzinfo=UTC)
X = Column(name="x", kind=FeatureKind.NUMERIC)
C = Column(name="c", kind=FeatureKind.CATEGORICAL)


def write_table(folder: Path, *, name: Any = "table.parquet", **columns: Any) -> Path:
    path = folder / str(name)
    parquet.write_table(pa.table(columns), path)
    return path


def write_query(path: Path, query: str, *params: int) -> None:
    relation = duckdb.sql(query, params=list(params))
    assert relation is not None
    relation.write_parquet(str(path), row_group_size=20_480)


def profile_only(path: Path, column: Column, **options: Any) -> ColumnProfile:
    return profile_relation(path, [column], **options).columns[0]


def assert_equal_up_to_rounding(one: ColumnProfile, other: ColumnProfile) -> None:
    apart = {"mean", "std"}
    assert one.model_dump(exclude=apart) == other.model_dump(exclude=apart)
    for left, right in ((one.mean, other.mean), (one.std, other.std)):
        assert left == (None if right is None else pytest.approx(right, rel=1e-9, abs=1e-9))


anything = st.lists(
    st.none()
    | st.floats(-1e12, 1e12)
    | st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e15, 5e-324]),
    max_size=40,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(anything)
def test_sql_counts_numbers_as_pandas_does(tmp_path: Path, values: list[float | None]) -> None:
    path = write_table(tmp_path, x=pa.array(values, pa.float64()))

    assert_equal_up_to_rounding(
        profile_only(path, X), profile_column(pd.Series(values, dtype="object"), X)
    )


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(anything)
def test_aggregates_count_as_a_table_in_memory_is_counted(
    tmp_path: Path, values: list[float | None]
) -> None:
    path = write_table(tmp_path, x=pa.array(values, pa.float64()))
    read = profile_relation(path, [X])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trimtab.detection.tables.duckdb_engine.fits_in_memory", lambda *_: False)
        assert_equal_up_to_rounding(profile_only(path, X, like=read), read.columns[0])


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"))))
def test_sql_counts_categories_as_pandas_does(tmp_path: Path, values: list[str | None]) -> None:
    path = write_table(tmp_path, c=pa.array(values, pa.string()))

    assert_equal_up_to_rounding(
        profile_only(path, C), profile_column(pd.Series(values, dtype="object"), C)
    )


def test_merged_profiles_of_partitions_are_the_profile_of_all_files(
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(0)
    paths = [
        write_table(tmp_path, name=f"{n}.parquet", x=random.normal(n, 1, 900)) for n in range(3)
    ]
    like = profile_relation(paths[0], [X])

    first, second, third = (profile_only(path, X, like=like) for path in paths)

    assert_equal_up_to_rounding(
        merge_columns(merge_columns(first, second), third),
        profile_relation(paths, [X], like=like).columns[0],
    )


def test_the_order_of_rows_changes_no_count_over_given_bins(tmp_path: Path) -> None:
    values = np.random.default_rng(0).gamma(2, 3, 60_000)
    like = profile_relation(write_table(tmp_path, x=values), [X])

    assert_equal_up_to_rounding(
        profile_only(write_table(tmp_path, name="reversed.parquet", x=values[::-1]), X, like=like),
        profile_only(write_table(tmp_path, x=values), X, like=like),
    )


@pytest.fixture
def sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """No table of more than 100,000 rows is read into memory."""
    monkeypatch.setattr("trimtab.detection.tables.row_sampling.MAX_COLUMNAR_ROWS", 0)


@pytest.mark.usefixtures("sampled")
@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(0, 1, 200_000),
        np.random.default_rng(1).poisson(400, 150_000).astype("float64"),
        np.where(np.arange(150_000) % 3 == 0, 0.0, np.random.default_rng(2).gamma(1, 3, 150_000)),
        np.sort(np.random.default_rng(3).normal(0, 1, 150_000)),
    ],
    ids=["continuous", "whole numbers", "with an atom", "sorted"],
)
def test_the_deciles_of_a_table_that_is_sampled_are_those_of_all_rows(
    values: Any, tmp_path: Path
) -> None:
    found = profile_only(write_table(tmp_path, x=values), X)

    exact = np.sort(values)[(len(values) - 1) * np.arange(1, 10) // 10]
    assert coarsen_bins(found).edges == pytest.approx(
        np.unique(exact), rel=2 * FREQUENT_VALUE_TOLERANCE
    )
    assert len(found.counts) <= 256
    ends = np.nextafter(found.edges, np.inf)
    assert found.counts == tuple(np.histogram(values, [-np.inf, *ends, np.inf])[0])


def test_reading_few_columns_at_a_time_changes_no_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    path = write_table(
        tmp_path, **{f"x{n}": random.normal(n, 1, 300) for n in range(5)}, c=["a"] * 300
    )
    whole = profile_relation(path, infer_columns(path).columns)

    monkeypatch.setattr("trimtab.detection.tables.row_sampling.MAX_VALUES_IN_MEMORY", 700)

    assert profile_relation(path, infer_columns(path).columns) == whole


@pytest.mark.usefixtures("sampled")
def test_columns_named_like_an_alias_of_a_query_have_profiles_of_their_own(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    table = {"x": random.normal(0, 1, 120_000), "v0": random.normal(90, 1, 120_000)}
    path = write_table(tmp_path, **table)

    found = profile_relation(path, infer_columns(path).columns)

    assert [each.mean for each in found.columns] == pytest.approx([0.0, 90.0], abs=0.1)


@pytest.mark.usefixtures("sampled")
def test_a_table_is_sampled_the_same_way_each_time(tmp_path: Path) -> None:
    path = write_table(tmp_path, x=np.random.default_rng(0).normal(0, 1, 150_000))

    assert_equal_up_to_rounding(profile_only(path, X), profile_only(path, X))


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1e300, -1e300, 1e308]),
        pa.array([3_000_000_000.25, 3_000_000_001.5]),
        pa.array([True, False, None]),
        pa.array([Decimal("1.10"), Decimal("-2.25")]),
        pa.array(["1", "x", None, "inf", " 2e1 "]),
        pa.array([7, 7, 7]),
        pa.array([9.0]),
        pa.array([], pa.float64()),
        pa.nulls(3, pa.float64()),
        pa.nulls(3),
        pa.array([[1], [2, 3], None]),
        pa.array([{"a": 1}, None]),
        pa.array([START, None]),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", FeatureKind)
def test_any_column_has_a_profile(values: pa.Array, kind: FeatureKind, tmp_path: Path) -> None:
    path = write_table(tmp_path, x=values)
    column = Column(name="x", kind=kind)

    found = profile_only(path, column)

    assert found.rows == len(values)
    assert sum(found.counts) == found.value_count
    assert profile_only(path, column, like=profile_relation(path, [column])).counts == found.counts


def test_a_column_that_is_not_there_has_no_value_in_any_row(tmp_path: Path) -> None:
    path = write_table(tmp_path, x=[1.0, 2.0])

    found = profile_relation(path, [X, C, Column(name="y", kind=FeatureKind.NUMERIC)])

    assert [each.nulls for each in found.columns] == [0, 2, 2]


def test_more_categories_than_a_tally_holds_are_counted_in_hash_bins(tmp_path: Path) -> None:
    path = tmp_path / "ids.parquet"
    query = (
        "SELECT CASE WHEN i % 4 = 0 THEN 'known' ELSE 'id ' || i END AS c FROM range(400000) t(i)"
    )
    write_query(path, query)

    found = profile_only(path, C)

    assert found.categories == ("known",)
    assert found.counts[0] == 100_000
    assert sum(found.counts[1:]) == 300_000
    assert found.counts[1:] == pytest.approx([300_000 / HASH_BINS] * HASH_BINS, rel=0.05)
    assert found.once is None
    assert profile_only(path, C, like=profile_relation(path, [C])).counts == found.counts
    assert found.known is None
    assert found.distinct_count == pytest.approx(300_001, rel=0.6)


def test_repeated_rows_of_a_large_table_are_estimated_from_a_share_of_them(tmp_path: Path) -> None:
    path = tmp_path / "twice.parquet"
    write_query(path, "SELECT i % 300000 AS x FROM range(400000) t(i)")

    assert profile_relation(path, [X]).duplicates == pytest.approx(100_000, rel=0.1)


def test_hundreds_of_columns_are_profiled_in_groups(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    table = {f"x{n}": random.normal(n, 1, 50) for n in range(430)}
    path = write_table(tmp_path, **table)

    found = profile_relation(path, infer_columns(path).columns)

    assert [each.column.name for each in found.columns] == list(found.filled) == list(table)
    assert all(sum(each.counts) == 50 for each in found.columns)
    assert [each.mean for each in found.columns] == pytest.approx(
        [values.mean() for values in table.values()]
    )


def test_a_window_holds_the_rows_of_its_time(tmp_path: Path) -> None:
    times = [START + timedelta(hours=n) for n in range(48)]
    path = write_table(tmp_path, x=np.arange(48.0), at=pa.array(times, pa.timestamp("us", "UTC")))

    found = profile_relation(path, [X], where=RowFilter("at", START, START + timedelta(hours=24)))

    assert (found.window.start, found.window.end) == (START, START + timedelta(hours=24))
    assert found.window.rows == 24
    assert found.newest == START + timedelta(hours=23)
    assert found.columns[0].maximum == 23.0


def test_without_bounds_the_window_is_that_of_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("at,x\n2026-01-05T00:00:00Z,1\n2026-01-06T00:00:00Z,2\n")

    found = profile_relation(path, [X], where=RowFilter("at"))

    assert found.window.start == START
    assert found.newest == START + timedelta(days=1)


def test_kinds_are_inferred_and_every_column_left_out_has_a_reason(tmp_path: Path) -> None:
    path = write_table(
        tmp_path,
        id=[1, 2],
        price=[1.5, 2.5],
        flag=[True, False],
        shop=["a", "b"],
        amount=["1", "2.5"],
        post=["01234", "04567"],
        at=pa.array([START, START]),
        tags=[["a"], ["b"]],
        bought=[0, 1],
    )

    found = infer_columns(path, ["id"], target="bought")

    numeric = {each.name for each in found.columns if each.kind is FeatureKind.NUMERIC}
    assert numeric == {"price", "amount", "bought"}
    assert {each.name for each in found.columns} - numeric == {"flag", "shop", "post"}
    assert set(found.left_out) == {"at", "tags"}
    assert [c.name for c in found.columns if c.role is FeatureRole.TARGET] == ["bought"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_a_csv_may_quote_for_the_first_time_in_a_late_row(
    tmp_path: Path, ending: str, separator: str
) -> None:
    texts = ["plain"] * 30_000 + [f'"p{separator}q"', '"p ""q"" r"', '"plain"', '"p\nq"']
    lines = ["x,c", *(f"{row},{text}" for row, text in enumerate(texts))]
    text = "\n".join(line.replace(",", separator, 1) for line in lines)
    path = tmp_path / f"late.{ending}"
    path.write_bytes(gzip.compress(text.encode()) if ending == "csv.gz" else text.encode())

    found = profile_only(path, C)

    assert found.rows == 30_004
    assert set(found.known or ()) == {'p "q" r', "p\nq", f"p{separator}q", "plain"}


@pytest.mark.parametrize("name", ["\0", "\0\0", "a\0b", " ", "v0", "é"])
def test_a_column_may_have_hardly_a_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"x,{name}\n" + "1,a\n2,b\n" * 200)

    _, column = infer_columns(path).columns

    assert profile_only(path, column).known == ("a", "b")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("'p, q'", "p, q"),
        ("'p'", "p"),
        ('"p \\"q\\" r"', 'p "q" r'),
        ("it's", "it's"),
        ("'tis", "'tis"),
        ('5" pipe', '5" pipe'),
    ],
)
def test_other_quotes_and_apostrophes_are_read_as_meant(
    tmp_path: Path, field: str, text: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("x,c\n" + "".join(f"{row},{field}\n" for row in range(300)))

    assert profile_only(path, C).known == (text,)


def test_a_csv_whose_numbers_become_text_in_a_late_row_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "late.csv.gz"
    lines = ["x,c", *(f"{n},a" for n in range(30_000)), "oops,b"]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))

    found = profile_relation(path, [X, C])

    assert (found.columns[0].unreadable, found.columns[0].value_count) == (1, 30_000)
    assert dict(zip(found.columns[1].categories, found.columns[1].counts, strict=False)) == {
        "a": 30_000,
        "b": 1,
    }


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone.parquet", None, "does not exist"),
        ("broken.parquet", b"PAR1 and no more", "cannot be read as Parquet or CSV"),
        ("latin.csv", "x,c\n1,Mün\n".encode("latin-1") * 9, "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    name: str, content: bytes | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(UnreadableError, match=said):
        profile_relation(path, [X])


def test_a_timestamp_column_without_times_is_refused(tmp_path: Path) -> None:
    path = write_table(tmp_path, x=[1.0], at=[3.5])

    with pytest.raises(UnreadableError, match=r"'at' of table .* holds DOUBLE, not times"):
        profile_relation(path, [X], where=RowFilter("at", START))
    with pytest.raises(UnreadableError, match="has no column 'when'"):
        profile_relation(path, [X], where=RowFilter("when", START))


def test_twenty_columns_make_a_profile_of_less_than_150_kilobytes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    numbers = {f"x{n}": random.lognormal(n, 1, 30_000) for n in range(14)}
    texts = {f"c{n}": [f"name {k}" for k in random.integers(0, 800, 30_000)] for n in range(6)}
    path = write_table(tmp_path, **numbers, **texts)

    found = profile_relation(path, infer_columns(path).columns)

    assert len(found.model_dump_json()) < 150_000 + 6 * 800 * 11


def test_importing_the_profiler_imports_no_engine() -> None:
    heavy = "pandas", "ibis", "duckdb", "scipy.stats", "statsmodels", "pyarrow"
    module = "trimtab.detection.tables.profiling"
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"

    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert found.stdout.strip() == "[]"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux")
def test_a_larger_file_needs_no_more_memory(tmp_path: Path) -> None:
    few, many = (
        measure_peak_megabytes(tmp_path / f"{rows}.parquet", rows) for rows in (200_000, 3_000_000)
    )

    assert many - few < 30  # 50 and more where rows were kept


def measure_peak_megabytes(path: Path, rows: int) -> float:
    """Return the peak memory of a process that profiles a table with too many categories."""
    query = "SELECT i % 7 AS x, 'name ' || i % 5 AS c, 'id ' || i AS d, i AS y FROM range(?) t(i)"
    write_query(path, query, rows)
    code = (
        "import sys, trimtab.detection.tables.profiling as p\n"
        "p.profile_relation(sys.argv[1], p.infer_columns(sys.argv[1]).columns, sketches=False)\n"
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )
    command = [sys.executable, "-c", code, str(path)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(found.stdout) / 1024

"""`trimtab compare` as people and scripts meet it: real files, exit codes, what is said."""

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

import trimtab.comparison.compare_tables
import trimtab.comparison.table_profiling
from tests.architecture.sources import ROOT
from trimtab.cli.app import app
from trimtab.comparison.compare_tables import CompareRequest, compare_tables
from trimtab.contracts.comparison import Comparison, build_comparison_schema
from trimtab.runtime.paths import SHIPPED

ROWS = 2000
HEAVY = (
    "ibis", "pandas", "pyarrow", "scipy.stats", "statsmodels", "sklearn", "mlflow", "kedro",
    "chromadb", "temporalio", "redis", "google", "httpx", "matplotlib", "plotly", "jinja2",
    "opentelemetry", "trimtab.cli.backtest.replay", "trimtab.cli.backtest.run",
)  # fmt: skip
"""What comparing two files must not load."""
LIGHT = {
    "_duckdb", "annotated_doc", "annotated_types", "charset_normalizer", "duckdb", "numpy",
    "pydantic", "pydantic_core", "rfc8785", "rich", "scipy", "shellingham", "typer",
    "typing_extensions", "typing_inspection",
}  # fmt: skip
"""All that it loads from outside: numpy brings charset_normalizer, and Typer shellingham."""
OURS = {"trimtab"}


def table(seed: int, *, rows: int = ROWS, shift: float = 0.0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "at": np.datetime64("2026-01-01", "s") + 60 * np.arange(rows),
        "income": random.lognormal(10.0, 0.5, rows) * (1.0 + shift),
        "age": random.integers(18, 90, rows),
        "city": random.choice(["London", "Paris", "Rome"], rows),
        "left": random.choice([True, False], rows),
    }


def written(path: Path, columns: dict[str, Any]) -> Path:
    found = pa.table(columns)
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(found, path)
    elif path.suffix == ".gz":
        with gzip.open(path, "wb") as file:
            pyarrow.csv.write_csv(found, file)
    else:
        pyarrow.csv.write_csv(found, path)
    return path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, outside the checkout, with a reference and what came after."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    written(tmp_path / "old.parquet", table(1))
    written(tmp_path / "new.parquet", table(2))
    written(tmp_path / "drifted.parquet", table(3, shift=1.0))
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and everything that was printed, in one line."""
    result = CliRunner().invoke(app, ["compare", *arguments])
    return result.exit_code, " ".join(result.output.split())


def found(*arguments: str) -> Comparison:
    run(*arguments, "--json", "found.json")
    text = Path("found.json").read_text()
    jsonschema.validate(json.loads(text), build_comparison_schema())
    return Comparison.model_validate_json(text)


def drifted(comparison: Comparison) -> list[str]:
    return [feature.name for feature in comparison.features if feature.drifted]


def test_the_committed_schema_is_the_models() -> None:
    committed = json.loads((SHIPPED / "docs" / "compare.schema.json").read_text())

    assert committed == build_comparison_schema()


def test_two_samples_of_the_same_have_not_drifted() -> None:
    code, said = run("old.parquet", "new.parquet")

    assert code == 0, said
    assert said.startswith("No drift")
    assert "2,000 rows" in said


def test_drift_in_one_column_is_told_with_its_name_and_why() -> None:
    code, said = run("old.parquet", "drifted.parquet")

    comparison = found("old.parquet", "drifted.parquet")
    assert code == 1, said
    assert "income" in said
    assert drifted(comparison) == ["income"]
    assert comparison.features[0].name == "income"
    assert comparison.rows.reference == comparison.rows.current == ROWS
    assert (comparison.sources.reference, comparison.sources.current) == (
        "old.parquet", "drifted.parquet",
    )  # fmt: skip


def test_what_is_ignored_cannot_drift() -> None:
    code, said = run("old.parquet", "drifted.parquet", "--ignore", "income,left")

    assert code == 0, said
    assert "income" not in said


def test_the_target_is_told_apart() -> None:
    comparison = found("old.parquet", "drifted.parquet", "--target", "income")

    assert comparison.target
    assert comparison.target.name == "income"
    assert comparison.target.drifted
    assert "income" not in [feature.name for feature in comparison.features]


def test_times_are_left_out_with_the_reason_unless_they_are_named() -> None:
    comparison = found("old.parquet", "new.parquet")
    named = found("old.parquet", "new.parquet", "--timestamp", "at")

    assert "time" in comparison.left_out["at"]
    assert "left out: at (" in run("old.parquet", "new.parquet")[1]
    assert not named.left_out


def test_few_rows_for_their_time_are_a_fault_where_the_time_is_known(folder: Path) -> None:
    sparse = {name: values[::5] for name, values in table(4).items()}
    sparse["at"] += np.timedelta64(7, "D")
    written(folder / "sparse.parquet", sparse)

    comparison = found("old.parquet", "sparse.parquet", "--timestamp", "at")

    assert [fault.kind for fault in comparison.quality] == ["few_rows"]


def dated(path: Path, seed: int, at: Any) -> Path:
    return written(path, table(seed) | {"at": at})


def dates(*days: int) -> Any:
    chosen = [np.datetime64("2026-01-01", "D") + np.timedelta64(day, "D") for day in days]
    return np.resize(np.array(chosen), ROWS)


def minutes(day: int) -> Any:
    return np.datetime64("2026-01-01", "us") + np.timedelta64(day, "D") + np.timedelta64(
        60_000_000, "us"
    ) * np.arange(ROWS)  # fmt: skip


def strayed(times: Any, year: str, rows: int = 1) -> Any:
    times[:rows] = np.datetime64(year)
    return times


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize(
    ("before", "now"),
    [
        (dates(0), dates(1)),
        (dates(0), dates(1, 2)),
        (dates(*range(30)), dates(30, 31)),
        (minutes(0), strayed(minutes(2), "1970")),
        (strayed(minutes(0), "2200"), minutes(2)),
        (strayed(minutes(0), "9999", 15), strayed(minutes(2), "1970", 15)),
        (pa.array(minutes(0)).cast(pa.timestamp("ns", "UTC")), minutes(2)),
    ],
)  # fmt: skip
def test_what_comes_after_the_reference_as_densely_has_no_fault_of_time(
    folder: Path, before: Any, now: Any, suffix: str
) -> None:
    dated(folder / f"a.{suffix}", 1, before)
    dated(folder / f"b.{suffix}", 2, now)

    comparison = found(f"a.{suffix}", f"b.{suffix}", "--timestamp", "at")

    assert comparison.quality == ()
    assert not comparison.drifted


def test_the_same_period_again_is_told_and_is_no_drift() -> None:
    comparison = found("old.parquet", "new.parquet", "--timestamp", "at")

    assert [fault.kind for fault in comparison.quality] == ["stale"]
    assert not comparison.drifted


@pytest.mark.parametrize("times", [["foo"] * ROWS, pa.nulls(ROWS, pa.timestamp("us"))])
@pytest.mark.parametrize("side", ["REFERENCE", "CURRENT"])
def test_a_timestamp_without_any_time_is_bad_input(folder: Path, times: Any, side: str) -> None:
    dated(folder / "timeless.parquet", 2, times)
    names = ["timeless.parquet", "old.parquet"]

    code, said = run(*(names if side == "REFERENCE" else names[::-1]), "--timestamp", "at")

    assert code == 2, said
    assert f"{side} 'timeless.parquet': column 'at' has no readable time in any row" in said


def test_times_that_are_often_missing_are_told(folder: Path) -> None:
    times = pa.array(minutes(2), mask=np.arange(ROWS) % 10 < 3)
    dated(folder / "gaps.parquet", 2, times)

    code, said = run("old.parquet", "gaps.parquet", "--timestamp", "at")

    assert code == 1, said
    assert "30.0% of the rows have no readable time" in said


def test_too_few_rows_are_no_answer(folder: Path) -> None:
    written(folder / "tiny.csv", table(4, rows=20))

    code, said = run("old.parquet", "tiny.csv")

    assert code == 3, said
    assert said.startswith("Not enough data")
    assert "20 rows" in said


@pytest.mark.parametrize("header_only", [True, False])
def test_no_rows_are_no_answer(folder: Path, *, header_only: bool) -> None:
    if header_only:
        (folder / "none.csv").write_text("at,income,age,city,left\n")
    else:
        written(folder / "none.parquet", table(4, rows=0))

    code, said = run("old.parquet", "none.csv" if header_only else "none.parquet")

    assert code == 3, said


@pytest.mark.parametrize("name", ["same.csv", "same.csv.gz", "same.parquet"])
def test_parquet_csv_and_gzipped_csv_hold_the_same(folder: Path, name: str) -> None:
    written(folder / name, table(2))

    as_parquet = found("old.parquet", "new.parquet")
    comparison = found("old.parquet", name)

    assert comparison.features == as_parquet.features
    assert comparison.quality == as_parquet.quality


def test_a_folder_or_a_pattern_of_files_is_one_table(folder: Path) -> None:
    (folder / "parts").mkdir()
    for part in range(2):
        half = {name: values[part::2] for name, values in table(3, shift=1.0).items()}
        written(folder / "parts" / f"{part}.parquet", half)

    whole = found("old.parquet", "drifted.parquet")
    (folder / "parts" / "1.parquet").rename(folder / "parts" / "1.PARQUET")
    (folder / "parts" / ".2.parquet").write_bytes(b"PAR1 and then nothing")
    (folder / "parts" / "more.parquet").mkdir()
    for name in ("parts", "parts/[01].*"):
        comparison = found("old.parquet", name)
        assert comparison.rows == whole.rows
        assert drifted(comparison) == ["income"]


def test_a_table_of_a_database_is_read_through_ibis(folder: Path) -> None:
    with duckdb.connect("base.db") as connection:
        connection.execute("CREATE SCHEMA sales")
        connection.execute("CREATE TABLE sales.old AS FROM 'old.parquet'")
        connection.execute("CREATE TABLE fresh AS FROM 'drifted.parquet'")

    code, said = run("duckdb://base.db?table=sales.old", "duckdb://base.db?table=fresh")

    assert code == 1, said
    assert drifted(found("duckdb://base.db?table=sales.old", "drifted.parquet")) == ["income"]


def in_sqlite(path: Path, **tables: dict[str, Any]) -> None:
    """Loosely typed, as SQLite is."""
    with closing(sqlite3.connect(path)) as connection:
        for name, columns in tables.items():
            connection.execute(
                f"CREATE TABLE {name} (at TEXT, income REAL, age INTEGER, city TEXT)"
            )
            rows = zip(*(columns[each].tolist() for each in ("income", "age", "city")), strict=True)
            every = [(f"2026-01-{row % 28 + 1:02}", *values) for row, values in enumerate(rows)]
            connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?)", every)  # noqa: S608 - names of ours
        connection.commit()


@pytest.mark.parametrize("stray", [None, "unknown"])
def test_a_table_of_a_database_that_cannot_count_is_brought_here_and_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch, stray: str | None
) -> None:
    in_sqlite(folder / "base.sqlite", old=table(1), new=table(2), odd=table(3, shift=1.0))
    with closing(sqlite3.connect(folder / "base.sqlite")) as connection:
        connection.execute("UPDATE odd SET age = ? WHERE rowid = 7", (stray,))
        connection.commit()
    (folder / "room").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder / "room"))
    base = f"sqlite://{folder}/base.sqlite?table="
    said: list[str] = []

    same = compare_tables(
        CompareRequest(f"{base}old", f"{base}new"), report_progress=said.append
    ).comparison
    apart = compare_tables(CompareRequest(f"{base}old", f"{base}odd")).comparison
    mixed = found("old.parquet", f"{base}odd", "--ignore", "left")

    assert not same.drifted
    assert drifted(apart) == drifted(mixed) == ["income"]
    assert {each.name for each in same.features} == {"income", "age", "city"}
    assert same.sources.reference == f"{base}old"
    assert any("copying the reference table here" in each for each in said)
    assert not list((folder / "room").iterdir())


def test_what_was_brought_here_goes_with_an_error_and_with_ctrl_c(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_sqlite(folder / "base.sqlite", old=table(1), new=table(2))
    (folder / "room").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder / "room"))
    there: list[Path] = []

    def fail(*_: object, **__: object) -> None:
        there.extend((folder / "room").rglob("*.parquet"))
        raise next(errors)

    errors = iter([KeyboardInterrupt(), ZeroDivisionError()])
    monkeypatch.setattr(trimtab.comparison.table_profiling, "profile_relation", fail)

    codes = [
        run("sqlite://base.sqlite?table=old", "sqlite://base.sqlite?table=new")[0] for _ in range(2)
    ]

    assert codes == [130, 70]
    assert len(there) == 4
    assert not list((folder / "room").iterdir())


@pytest.mark.parametrize("option", ["--json", "--html"])
@pytest.mark.parametrize(
    "named",
    [
        ("parts", "new.parquet"),
        ("old.parquet", "parts/*.parquet"),
        ("duckdb://base.db?table=x", "new.parquet"),
    ],
)
def test_no_file_of_a_table_is_written_over(
    folder: Path, option: str, named: tuple[str, str]
) -> None:
    (folder / "parts").mkdir()
    for part in range(2):
        written(folder / "parts" / f"{part}.parquet", table(part))
    with duckdb.connect("base.db") as connection:
        connection.execute("CREATE TABLE x AS FROM 'old.parquet'")
    os.link("parts/1.parquet", "other-name")
    files = ("base.db",) if "base" in named[0] else ("./parts/1.parquet", "other-name")
    before = [Path(each).read_bytes() for each in files]

    for each in files:
        code, said = run(*named, option, each)
        assert code == 2, said
        assert "a table that is compared" in said

    assert [Path(each).read_bytes() for each in files] == before
    assert run(*named, option, "parts/found.txt")[0] in (0, 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("old.parquet", "nowhere.parquet"), "CURRENT 'nowhere.parquet'"),
        (("nowhere.csv", "old.parquet"), "REFERENCE 'nowhere.csv'"),
        (("old.parquet", "old.parquet"), "is the reference too"),
        (("old.parquet", "./old.parquet"), "is the reference too"),
        (("old.parquet", "empty"), "the folder has no file"),
        (("old.parquet", "*.nothing"), "the pattern matches no file"),
        (("old.parquet", "/dev/null"), "is not a file"),
        (("old.parquet", "broken.parquet"), "broken.parquet"),
        (("old.parquet", "other.csv"), "no column in common"),
        (("old.parquet", "nothing.csv"), "is empty"),
        (("old.parquet", "ragged.csv"), "its line 3 has more than 2 values, but its header"),
        (("ragged.csv", "old.parquet"), "as many values as the header has names"),
        (("twice.csv", "old.parquet"), "two columns called 'age'"),
        (("old.parquet", "twice.csv"), "two columns called 'age'"),
        (("old.parquet", "notes.txt"), "no column in common"),
        (("old.parquet", "table.xlsx"), ".xlsx files cannot be read"),
        (("old.parquet", "zeros.csv"), "is not text"),
        (
            ("old.parquet", "more.csv"),
            "its line 2 has more than 4 values, but its header has 4 names",
        ),
        (("pair.parquet", "old.parquet"), "two columns called 'age'"),
        (("old.parquet", "hidden"), "the folder has no file"),
        (("old.parquet", "wide.csv"), "not UTF-8"),
        (("old.parquet", "base.duckdb"), "duckdb://base.duckdb?table=NAME"),
        (("old.parquet", "https://127.0.0.1:1/new.parquet"), "download it"),
        (("old.parquet", "-"), "is not a file"),
        (("old.parquet", "new.parquet", "--ignore", "salary"), "--ignore 'salary'"),
        (("old.parquet", "new.parquet", "--target", "salary"), "--target 'salary'"),
        (("old.parquet", "new.parquet", "--timestamp", "when"), "--timestamp 'when'"),
        (("old.parquet", "new.parquet", "--target", "age", "--ignore", "age"), "name it once"),
        (("old.parquet", "new.parquet", "--ignore", "income,age,city,left"), "can be compared"),
        (("old.parquet", "postgres://ann:s3cret@127.0.0.1:1/base"), "?table=NAME"),
        (("old.parquet", "duckdb://nowhere.db?table=x"), "no such database file"),
        (("old.parquet", "base.db?table=x"), "the pattern matches no file"),
        (("old.parquet", "nonsense://host/base?table=x"), "nonsense"),
        (("old.parquet", "new.parquet", "--json", "old.parquet/x.json"), "is not a folder"),
        (("old.parquet", "new.parquet", "--json", "./old.parquet"), "a table that is compared"),
        (("old.parquet", "new.parquet", "--html", "new.parquet"), "a table that is compared"),
        (("old.parquet", "new.parquet", "--json", "x", "--html", "x"), "another option"),
        (("old.parquet", "new.parquet", "--html", "empty"), "empty"),
        (("old.parquet", "new.parquet", "--html", "no/page.html"), "there is no folder 'no'"),
        (("old.parquet", "new.parquet", "--json", "no/x.json"), "create it first"),
        (("old.parquet", "new.parquet", "--min-psi", "-1"), "--min-psi -1.0: must be 0 or more"),
        (("old.parquet", "new.parquet", "--min-psi", "nan"), "--min-psi nan"),
        (("old.parquet", "new.parquet", "--alpha", "0"), "--alpha 0.0: must be between 0 and 1"),
        (("old.parquet", "new.parquet", "--alpha", "1"), "--alpha 1.0: must be between 0 and 1"),
        (
            ("old.parquet", "new.parquet", "--alpha", "small"),
            "--alpha 'small': must be a number, such as 0.01",
        ),
        (("old.parquet",), "Usage: trimtab compare"),
    ],
)
def test_bad_input_is_told_by_name_and_is_no_drift(
    folder: Path, arguments: tuple[str, ...], told: str
) -> None:
    (folder / "empty").mkdir()
    (folder / "broken.parquet").write_bytes(b"PAR1 and then nothing")
    (folder / "other.csv").write_text("colour,size\nred,1\n")
    (folder / "nothing.csv").touch()
    (folder / "ragged.csv").write_text("colour,size\nred,1\ngreen,2,3,4\n" * 9)
    (folder / "twice.csv").write_text("income,age,city,AGE\n1,2,x,3\n")
    (folder / "notes.txt").write_text("bought milk\n")
    (folder / "more.csv").write_text("income,age,city,left\n" + "1,2,x,3,4\n" * ROWS)
    pair = pa.table([[1] * ROWS] * 3, names=["age", "city", "AGE"])
    pyarrow.parquet.write_table(pair, folder / "pair.parquet")
    (folder / "hidden" / ".kept" / "a.parquet").mkdir(parents=True)
    (folder / "hidden" / ".old.parquet").write_bytes(b"PAR1")
    (folder / "zeros.csv").write_bytes(bytes(5000))
    (folder / "wide.csv").write_text("colour,size\nred,1\n", encoding="utf-16")
    (folder / "table.xlsx").write_bytes(b"PK")
    (folder / "base.duckdb").write_bytes(b"DUCK")

    code, said = run(*arguments)

    assert code == 2, said
    assert told in said
    assert "Traceback" not in said


def test_a_password_is_not_shown() -> None:
    address = "postgres://ann:s3cret@127.0.0.1:1/base"

    for query in ("", "?table=sales", "?table=sales&password=s3cret"):
        code, said = run("old.parquet", address + query)
        assert code == 2, said
        assert "s3cret" not in said


def test_columns_may_be_called_anything(folder: Path) -> None:
    names = ["<script>alert(1)</script>", 'quo"te', "tab\there", "\x1b[31mred", "naïve 名前", "a,b"]
    random = np.random.default_rng(5)
    for side, shift in (("odd.parquet", 0.0), ("odder.parquet", 2.0)):
        written(folder / side, {name: random.normal(shift, 1.0, ROWS) for name in names})

    code, said = run("odd.parquet", "odder.parquet", "--html", "page.html")

    page = Path("page.html").read_text()
    assert code == 1, said
    assert "\x1b" not in said
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert sorted(drifted(found("odd.parquet", "odder.parquet"))) == sorted(names)
    ignored = drifted(found("odd.parquet", "odder.parquet", "--ignore", '"a,b", naïve 名前'))
    assert {*names} - {*ignored} == {"a,b", "naïve 名前"}


def test_a_long_name_does_not_fill_the_terminal(folder: Path) -> None:
    name = "very long indeed " * 200
    for side, shift in (("odd.parquet", 0.0), ("odder.parquet", 2.0)):
        written(folder / side, {name: np.random.default_rng(5).normal(shift, 1.0, ROWS)})

    output = CliRunner().invoke(app, ["compare", "odd.parquet", "odder.parquet"]).output

    assert len(output.splitlines()) < 20
    assert drifted(found("odd.parquet", "odder.parquet")) == [name]


def test_odd_columns_are_answered_and_do_not_end_in_an_error(folder: Path) -> None:
    nothing: list[float | None] = [None] * ROWS
    for side, seed in (("odd.parquet", 6), ("odder.parquet", 7)):
        random = np.random.default_rng(seed)
        numbers = random.normal(size=ROWS)
        numbers[::100], numbers[1::100], numbers[2::100] = np.nan, np.inf, -np.inf
        columns = {
            "infinite": numbers,
            "nothing": pa.array(nothing, type=pa.float64()),
            "nobody": pa.array(nothing, type=pa.string()),
            "constant": np.full(ROWS, 7),
            "huge": random.normal(1e300, 1e299, ROWS),
            "tiny": random.normal(0.0, 1e-300, ROWS),
            "unique": [f"{seed}-{row}" for row in range(ROWS)],
            "lists": [[row] for row in range(ROWS)],
        }
        written(folder / side, columns)

    comparison = found("odd.parquet", "odder.parquet", "--html", "page.html")

    compared = {feature.name for feature in comparison.features}
    assert compared >= {"infinite", "constant", "huge", "tiny", "nothing", "nobody"}
    assert not {"infinite", "constant", "huge", "tiny"} & set(drifted(comparison))
    assert comparison.left_out.keys() == {"lists", "unique"}


def test_what_tells_rows_apart_is_left_out_with_the_reason(folder: Path) -> None:
    for side, seed in (("odd.parquet", 6), ("odder.parquet", 7)):
        columns = table(seed)
        columns["row"] = seed * ROWS + np.arange(ROWS)
        columns["order"] = [f"{seed}-{row}" for row in range(ROWS)]
        columns["paid"] = [f"€{row % 9 + 1},{row % 1000:03}.50" for row in range(ROWS)]
        written(folder / side, columns)

    comparison = found("odd.parquet", "odder.parquet", "--timestamp", "at")

    assert not comparison.drifted
    assert comparison.left_out["row"] == "it numbers the rows"
    assert "identifier" in comparison.left_out["order"]
    assert "formatted text" in comparison.left_out["paid"]
    assert found("odd.parquet", "odder.parquet", "--target", "row").target


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m", "%d.%m.%Y %H:%M", "%b %d, %Y"])
def test_times_that_are_stored_as_text_are_left_out_too(
    folder: Path, form: str, ending: str
) -> None:
    for side, start in ((1, "2024-01-01"), (2, "2025-03-01")):
        columns = table(side)
        days = pa.array(np.datetime64(start, "s") + 3600 * np.arange(ROWS))
        columns["day"] = [
            None if row % 50 == 7 else each.strftime(form)
            for row, each in enumerate(days.to_pylist())
        ]
        columns["release"] = [f"1.{row % 5}.{row % 3}" for row in range(ROWS)]
        columns["phone"] = [f"555-01{row % 7}" for row in range(ROWS)]
        columns["case"] = [f"2024-00{row % 9 + 10}" for row in range(ROWS)]
        written(folder / f"{side}.{ending}", columns)

    comparison = found(f"1.{ending}", f"2.{ending}")

    assert comparison.left_out["day"] == "it holds timestamps, which always increase"
    assert not comparison.drifted
    assert {"release", "phone", "case"} <= {each.name for each in comparison.features}


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_column_that_cannot_be_compared_is_missed_all_the_same(folder: Path, how: str) -> None:
    for side in ("old", "new"):
        columns = table(len(side) + (side == "new"))
        columns["tags"] = [[row] for row in range(ROWS)]
        columns["__index_level_0__"] = np.arange(ROWS)
        columns["scrap"] = [[row] for row in range(ROWS)]
        if side == "new":
            for name in ("at", "tags", "scrap", "__index_level_0__"):
                columns[name] = pa.array([None] * ROWS, type=pa.array(columns[name]).type)
                if how == "gone":
                    del columns[name]
        written(folder / f"{side}-odd.parquet", columns)

    code, said = run("old-odd.parquet", "new-odd.parquet", "--ignore", "scrap")
    faults = found("old-odd.parquet", "new-odd.parquet", "--ignore", "scrap").quality
    back = found("new-odd.parquet", "old-odd.parquet", "--ignore", "scrap").quality

    assert code == 1, said
    assert {(fault.kind, fault.column) for fault in faults} == {
        ("missing_column", "at"), ("missing_column", "tags"),
    }  # fmt: skip
    assert not any(fault.corrupt for fault in faults)
    assert not any(fault.kind == "missing_column" for fault in back)


def test_a_decimal_comma_is_one(folder: Path) -> None:
    for name, shift in (("a.csv", 0.0), ("b.csv", 1.0)):
        lines = [f"{value:.3f};x".replace(".", ",") for value in table(1)["income"] * (1 + shift)]
        (folder / name).write_text("\n".join(["income;city", *lines]))
    (folder / "plain.csv").write_text((folder / "a.csv").read_text().replace(",", "."))

    assert drifted(found("a.csv", "b.csv")) == ["income"]
    assert not found("a.csv", "plain.csv").drifted


def test_missing_numbers_are_counted_though_a_files_statistics_pass_over_them(
    folder: Path,
) -> None:
    random = np.random.default_rng(8)
    for side in ("odd.parquet", "odder.parquet"):
        numbers = random.normal(size=30_000)
        numbers[::4] = np.nan
        written(folder / side, {"x": numbers})

    comparison = found("odd.parquet", "odder.parquet")

    assert not comparison.drifted
    assert comparison.features[0].null_fraction_reference == 0.25
    assert comparison.features[0].null_fraction_current == 0.25


def test_a_column_that_became_text_or_went_away_is_a_grave_fault(folder: Path) -> None:
    columns = table(2)
    columns["age"] = ["unknown"] * ROWS
    del columns["city"]
    written(folder / "changed.parquet", columns)

    code, said = run("old.parquet", "changed.parquet")

    kinds = {
        (fault.kind, fault.column) for fault in found("old.parquet", "changed.parquet").quality
    }
    assert code == 1, said
    assert said.startswith("Corrupt: data faults (")
    assert kinds >= {("retyped_column", "age"), ("missing_column", "city")}


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))

    output = CliRunner().invoke(app, ["compare", "old.parquet", "drifted.parquet"]).output

    assert max(map(len, output.splitlines())) <= width
    assert "income" in output
    assert "its mean rose" in " ".join(output.split())


def child_of(script: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip


def compare_process(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    script = "from trimtab.cli.app import main; main()"
    return child_of(script, "compare", *arguments, **environment)


def test_json_goes_to_standard_output_alone_when_asked() -> None:
    with compare_process("old.parquet", "drifted.parquet", "--json", "-") as child:
        out, told = child.communicate(timeout=60)

    assert child.returncode == 1, told
    assert Comparison.model_validate_json(out).drifted
    assert told.startswith("Drift")


def test_a_reader_that_goes_away_does_not_change_the_verdict() -> None:
    with compare_process("old.parquet", "new.parquet") as child:
        assert child.stdout
        child.stdout.close()
        told = child.stderr.read() if child.stderr else ""
        code = child.wait(60)

    assert code == 0, told
    assert not told


def test_an_output_that_is_closed_does_not_change_the_verdict_but_cannot_take_json() -> None:
    script = (
        "import sys\n"
        "sys.stdout = None\n"  # as Python has it after `>&-`
        "from trimtab.cli.app import main; main()"
    )
    codes = []
    for options in ((), ("--json", "x.json"), ("--json", "-")):
        with child_of(script, "compare", "old.parquet", "drifted.parquet", *options) as child:
            told = child.communicate(timeout=60)[1]
        codes.append(child.returncode)
        assert "Traceback" not in told

    assert codes == [1, 1, 2]
    assert "standard output is closed" in told


def test_a_terminal_that_knows_ascii_only_is_served() -> None:
    with compare_process("old.parquet", "drifted.parquet", PYTHONIOENCODING="ascii") as child:
        out, told = child.communicate(timeout=60)

    assert child.returncode == 1, told
    assert "####" in out


def test_ctrl_c_ends_it_with_its_own_code() -> None:
    script = (
        "import signal, sys\n"
        "import duckdb\n"
        "import trimtab.comparison.table_profiling\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in a shell ignores it
        "from trimtab.cli.app import main\n"
        "def profile_relation(*_, **__):\n"
        "    print('reading', file=sys.stderr, flush=True)\n"
        "    duckdb.sql('SELECT SUM(SIN(i)) FROM RANGE(1000000000000) AS rows(i)').fetchall()\n"
        "trimtab.comparison.table_profiling.profile_relation = profile_relation\n"
        "sys.argv = ['trimtab', 'compare', 'old.parquet', 'new.parquet', '--json', 'x.json']\n"
        "main()\n"
    )
    with child_of(script) as child:
        assert child.stderr
        assert child.stderr.readline() == "reading\n"

        child.send_signal(signal.SIGINT)

        told = child.stderr.read()
    assert child.returncode == 130, told
    assert "Traceback" not in told
    assert not Path("x.json").exists()


def test_a_fault_of_ours_is_no_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        message = "a bug"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(trimtab.comparison.compare_tables, "compare_profiles", fail)

    code, said = run("old.parquet", "new.parquet")

    assert code == 70
    assert "a bug" in said
    assert "fault of Trimtab itself" in said


def test_comparing_files_loads_nothing_that_it_does_not_need() -> None:
    script = (
        "import json, sys\n"
        "from trimtab.cli.app import main\n"
        "sys.argv = ['trimtab', 'compare', 'old.parquet', 'drifted.parquet', '--json', 'x.json']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as done:\n"
        "    assert done.code == 1, done.code\n"
        "print('\\n' + json.dumps(list(sys.modules)))"
    )

    with child_of(script) as child:
        out, told = child.communicate(timeout=60)

    assert child.returncode == 0, told
    loaded = json.loads(out.strip().rsplit("\n", 1)[1])
    assert [name for name in HEAVY if name in loaded] == []
    assert "asyncio" not in loaded
    known = {*LIGHT, *OURS, *sys.stdlib_module_names}
    tops = {name.partition(".")[0] for name in loaded}
    assert [name for name in tops - known if metadata.packages_distributions().get(name)] == []


def test_results_that_go_into_a_pipe_leave_it_a_pipe(folder: Path) -> None:
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    code, said = run("old.parquet", "drifted.parquet", "--json", "pipe")

    assert code == 1, said
    assert json.loads(os.read(reader, 60_000))["drifted"]
    assert pipe.is_fifo()
    os.close(reader)
    assert run("old.parquet", "new.parquet", "--html", ".")[0] == 2


@pytest.mark.parametrize("option", ["--min-psi", "--alpha"])
def test_a_limit_that_is_no_number_is_named_with_its_value(option: str) -> None:
    code, said = run("old.parquet", "new.parquet", option, "much")

    assert code == 2
    assert f"{option} 'much': must be a number, such as 0." in said


def test_an_empty_name_of_a_column_is_refused() -> None:
    code, said = run("old.parquet", "new.parquet", "--target", "")

    assert code == 2
    assert "--target '': is no column's name: name one, or leave the option out" in said


def test_a_gzipped_file_is_recognised_in_capitals_too(folder: Path) -> None:
    written(folder / "old.csv.gz", table(1)).rename(folder / "OLD.CSV.GZ")

    code, said = run("OLD.CSV.GZ", "new.parquet")

    assert code == 0, said


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "its file 'b.csv' is empty, without even a header: complete or delete it"),
        ("a,a\n1,2\n" * 300, "its file 'b.csv' has two columns called 'a'"),
    ],
)
def test_a_faulty_file_of_a_folder_is_named(content: str, fault: str, folder: Path) -> None:
    (folder / "both").mkdir()
    (folder / "both" / "a.csv").write_text("a\n" + "1\n" * 300)
    (folder / "both" / "b.csv").write_text(content)

    code, said = run("both", "new.parquet")

    assert code == 2
    assert fault in said

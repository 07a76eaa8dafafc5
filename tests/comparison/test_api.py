"""`trimtab.compare` in a notebook or a pipeline: the command's figures, whatever holds the rows."""

import json
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any, assert_type

import duckdb
import ibis
import jsonschema
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import trimtab
from tests.comparison.tables import FORMS, ROWS, make_frame
from trimtab.cli.app import app
from trimtab.comparison.result import ComparisonResult
from trimtab.contracts.comparison import Comparison, build_comparison_schema

REFERENCE = make_frame(1)
CURRENT = make_frame(2, shift=1.0)
SAME = make_frame(3)
MILLION = 1_000_000
BROKEN = pd.DataFrame({"age": pd.Series(["b\udc80"] * ROWS, dtype=object)})
"""Half of a character, as Python reads a byte that is not UTF-8."""


class Command:
    """What the command line says of the two tables."""

    def __init__(self, folder: Path, *options: str) -> None:
        REFERENCE.to_parquet(folder / "reference.parquet", index=False)
        CURRENT.to_parquet(folder / "current.parquet", index=False)
        arguments = ["reference.parquet", "current.parquet", "--json", "x.json", "--html", "x.html"]
        with chdir(folder):
            result = CliRunner().invoke(app, ["compare", *arguments, *options])
        assert result.exit_code == 1, result.output
        self.comparison = Comparison.model_validate_json((folder / "x.json").read_text())
        self.page = (folder / "x.html").read_text()

    def retold(self, result: ComparisonResult) -> ComparisonResult:
        """The result as if it had been made at the same time from the same files."""
        update = {"sources": self.comparison.sources, "generated": self.comparison.generated}
        comparison = result.comparison.model_copy(update=update)
        return ComparisonResult(comparison, result._profiles)


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    return Command(tmp_path_factory.mktemp("command"))


@pytest.fixture(autouse=True)
def silent(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing is ever printed."""
    yield
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("side", ["reference", "current", "both"])
def test_every_form_of_a_table_has_the_commands_figures_and_page(
    side: str, form: str, command: Command, tmp_path: Path
) -> None:
    other = "pandas" if side == "both" or form != "pandas" else "polars"
    before = FORMS[form if side != "current" else other](REFERENCE, tmp_path, "before")
    now = FORMS[form if side != "reference" else other](CURRENT, tmp_path, "now")

    result = command.retold(trimtab.compare(before, now))

    assert result.comparison == command.comparison
    assert result.to_html() == command.page
    assert json.loads(result.to_json()) == command.comparison.model_dump(mode="json")


@pytest.mark.parametrize("form", FORMS)
def test_a_profile_of_every_form_is_compared_like_its_table(
    form: str, command: Command, tmp_path: Path
) -> None:
    reference = trimtab.profile(FORMS[form](REFERENCE, tmp_path, "before"))
    reference.save(tmp_path / "reference.json")
    saved = trimtab.load_profile(tmp_path / "reference.json")
    current = trimtab.profile(FORMS[form](CURRENT, tmp_path, "now"), like=saved)

    beside_a_table = command.retold(trimtab.compare(saved, CURRENT))
    beside_a_profile = command.retold(trimtab.compare(saved, current))

    assert saved == reference
    assert beside_a_table.comparison == beside_a_profile.comparison == command.comparison
    assert beside_a_table.to_html() == beside_a_profile.to_html() == command.page


def test_options_mean_what_they_mean_on_the_command_line(tmp_path: Path) -> None:
    options = ("--timestamp", "at", "--target", "age", "--ignore", "city", "--min-psi", "0.02")
    command = Command(tmp_path, *options, "--alpha", "0.05")

    result = trimtab.compare(
        pl.from_pandas(REFERENCE),
        CURRENT,
        timestamp="at",
        target="age",
        ignore=["city"],
        min_psi=0.02,
        alpha=0.05,
    )

    assert command.retold(result).comparison == command.comparison
    assert (result.comparison.sensitivity.psi, result.comparison.sensitivity.p_value) == (
        0.02,
        0.05,
    )
    assert "PSI is at least 0.02 and p, adjusted by Benjamini-Hochberg, is at most 0.05" in (
        command.page
    )


def test_a_result_tells_the_verdict_the_columns_and_the_faults() -> None:
    worse = CURRENT.assign(age=np.nan)

    result = trimtab.compare(REFERENCE, worse, target="income")

    assert_type(result, ComparisonResult)
    assert (result.drifted, result.enough, result.corrupt) == (True, True, True)
    assert result.severity == "high"
    assert [(fault.kind, fault.column) for fault in result.faults] == [("missing_column", "age")]
    assert result.left_out == {"at": "it holds timestamps, which always increase"}
    assert "income" in result.summary


def test_the_columns_are_a_data_frame_the_drifted_ones_first() -> None:
    result = trimtab.compare(REFERENCE, CURRENT.assign(age=None), target="income")

    columns = result.columns.set_index("column")
    assert columns.index.tolist() == ["income", "city", "member", "age"]
    assert columns["drifted"].tolist() == [True, False, False, False]
    assert columns["role"].tolist() == ["target", "feature", "feature", "feature"]
    assert columns["kind"].tolist() == ["numeric", "categorical", "categorical", "numeric"]
    income, city, age = (columns.loc[name] for name in ("income", "city", "age"))
    assert income["psi"] > income["threshold"] == 0.1
    assert income["test"] == "ks"
    assert income["adjusted_p_value"] >= income["p_value"]
    assert income["wasserstein"] > 1.0
    assert pd.isna(income["total_variation"])
    assert city["total_variation"] < 0.1
    assert pd.isna(age["psi"])
    assert "not enough data" in age["reason"]
    assert age["missing_current"] == 1.0


def test_a_result_is_readable_and_is_a_page_in_a_notebook(tmp_path: Path) -> None:
    result = trimtab.compare(REFERENCE, CURRENT)

    result.to_html(tmp_path / "page.html")
    shown = result._repr_html_()
    assert repr(result).startswith("Drift: 1 of 4 columns drifted (income)\nNext: ")
    assert "its mean rose from" in repr(result)
    assert (tmp_path / "page.html").read_text() == result.to_html()
    assert shown.startswith("<iframe sandbox srcdoc=")
    assert "&lt;title&gt;Comparison: drift&lt;/title&gt;" in shown
    jsonschema.validate(json.loads(result.to_json()), build_comparison_schema())
    with pytest.raises(FileNotFoundError):
        result.to_html(tmp_path / "missing" / "page.html")


def test_a_small_shift_of_many_rows_is_found_where_a_small_one_matters() -> None:
    random = np.random.default_rng(0)
    before = pd.DataFrame({"x": random.normal(size=MILLION)})
    now = pd.DataFrame({"x": random.normal(0.3, size=MILLION)})

    usual, sensitive = trimtab.compare(before, now), trimtab.compare(before, now, min_psi=0.05)

    assert not usual.drifted
    assert "too small to matter" in usual.columns["reason"][0]
    assert sensitive.drifted
    assert sensitive.columns["threshold"][0] == 0.05


def test_a_stricter_level_asks_for_more_evidence() -> None:
    random = np.random.default_rng(1)
    before = pd.DataFrame({"x": random.normal(size=400)})
    now = pd.DataFrame({"x": random.normal(0.4, size=400)})

    strict = trimtab.compare(before, now, min_psi=0.0, alpha=1e-12)
    loose = trimtab.compare(before, now, min_psi=0.0, alpha=0.05)

    assert (strict.drifted, loose.drifted) == (False, True)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"min_psi": -0.1}, "min_psi=-0.1: must be 0 or more"),
        ({"min_psi": float("nan")}, "min_psi=nan: must be 0 or more"),
        ({"min_psi": "much"}, "min_psi='much': must be a number, such as 0.1"),
        ({"alpha": 0}, "alpha=0: must be between 0 and 1"),
        ({"alpha": 1.0}, "alpha=1.0: must be between 0 and 1"),
        ({"alpha": None}, "alpha=None: must be a number"),
        ({"timestamp": "when"}, "timestamp='when': the reference has no such column; it has age"),
        ({"target": "when"}, "target='when': the reference has no such column"),
        ({"target": 7}, "target=7: must be a column's name as text"),
        ({"ignore": ["when"]}, "ignore='when': neither table has such a column"),
        ({"ignore": "city"}, r"ignore='city': must be a list of column names, such as \['id'\]"),
        ({"ignore": None}, "ignore=None: must be a list of column names"),
        ({"ignore": 5}, "ignore=5: must be a list of column names"),
        ({"target": ""}, "target='': is no column's name: name one, or leave the option out"),
        ({"timestamp": ""}, "timestamp='': is no column's name"),
        ({"target": "age", "ignore": ["age"]}, "target='age': is ignored, or the timestamp, too"),
    ],
)
def test_a_wrong_option_is_named_with_its_value_and_the_remedy(
    options: dict[str, Any], fault: str
) -> None:
    with pytest.raises(trimtab.InvalidOptionError, match=fault) as raised:
        trimtab.compare(REFERENCE, CURRENT, **options)

    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (7, r"current \(int\): give a pandas, polars or Arrow table"),
        ([REFERENCE], r"current \(list\): give a pandas"),
        (np.zeros((3, 3)), r"current \(numpy.ndarray\): give a pandas"),
        (REFERENCE["age"], r"current \(pandas.Series\): give a pandas"),
        (pl.Series([1, 2]), r"current \(polars.Series\): give a pandas"),
        (
            pl.from_pandas(REFERENCE).lazy(),
            r"current \(polars.LazyFrame\): .* call its .collect\(\)",
        ),
    ],
)
def test_what_is_no_table_is_refused_by_its_type(table: Any, fault: str) -> None:
    with pytest.raises(trimtab.UnsupportedTableError, match=fault) as raised:
        trimtab.compare(REFERENCE, table)

    assert isinstance(raised.value, TypeError)
    assert isinstance(raised.value, trimtab.InvalidInputError)


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("nowhere.csv", "current 'nowhere.csv': there is no such file"),
        (Path("nowhere.csv"), "current 'nowhere.csv': there is no such file"),
        ("duckdb://nowhere.db?table=x", "there is no such database file"),
        (pd.DataFrame(), r"current \(pandas data frame\): has no columns"),
        (pd.DataFrame({"x": [1]}), "has no column in common with the reference"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "has two columns called 'a'"),
        (pd.DataFrame([[1, 2]], columns=["a", "A"]), r"has two columns called 'a' \(case does not"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), "has two columns called '1'"),
        (pd.DataFrame([[1]], columns=[""]), "has a column without a name"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "several levels"),
        (pl.DataFrame(), r"current \(polars data frame\): has no columns"),
        (pa.table([[1], [2]], names=["a", "a"]), r"current \(Arrow table\): has two columns"),
        (pd.DataFrame([[1, 2]], columns=["Age", "age"]), "has two columns called 'Age'"),
        (
            pd.DataFrame([[1]], columns=pd.Index(["a\udc80"], dtype=object)),
            r"has a column called 'a\\udc80', which holds no characters: rename it",
        ),
        (BROKEN, r"a text holds '\\udc80', which is no character: replace it"),
        (ibis.table({"age": "int64"}, name="t"), "is bound to no database: take the table from"),
        (REFERENCE, r"current \(pandas data frame\): is the reference too"),
    ],
)
def test_a_table_that_cannot_be_compared_is_named_with_the_remedy(table: Any, fault: str) -> None:
    with pytest.raises(trimtab.InvalidTableError, match=fault) as raised:
        trimtab.compare(REFERENCE, table)

    assert isinstance(raised.value, ValueError)


NULLS: Any = [[None] * ROWS, [[None]] * ROWS, [{"a": None, "b": [None]}] * ROWS]
"""Columns for which polars knows no type."""


@pytest.mark.parametrize("values", NULLS)
def test_a_column_without_any_value_is_read_from_polars(values: list[object]) -> None:
    empty = pl.from_pandas(REFERENCE).with_columns(pl.Series("age", values))

    result = trimtab.compare(REFERENCE, empty)
    as_reference = trimtab.compare(empty, CURRENT)

    assert "missing_column" in [fault.kind for fault in result.faults] or values[0] is not None
    assert {*as_reference.columns.query("drifted")["column"]} == {"income"}


def test_durations_and_times_of_day_are_left_out_for_what_they_are() -> None:
    clock = pl.from_pandas(REFERENCE).with_columns(
        pl.col("age").cast(pl.Duration), pl.col("at").cast(pl.Time)
    )

    assert trimtab.compare(clock, CURRENT).left_out == {
        "age": "it holds durations: write them as numbers, such as seconds",
        "at": "it holds times of day: write them as numbers, such as hours",
    }


UNREADABLE: Any = [
    pl.from_pandas(REFERENCE).with_columns(pl.col("age").cast(pl.Int128)),
    pa.Table.from_pandas(REFERENCE.assign(age=REFERENCE["age"].astype("float16"))),
]
"""Columns of types that DuckDB does not know."""


@pytest.mark.parametrize("table", UNREADABLE, ids=["polars", "arrow"])
def test_a_column_that_cannot_be_read_is_named(table: Any) -> None:
    fault = "DuckDB cannot read column 'age': .* convert or drop that column"

    with pytest.raises(trimtab.InvalidTableError, match=fault) as raised:
        trimtab.compare(REFERENCE, table)

    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("rows", [0, 100])
def test_few_rows_are_no_verdict(rows: int) -> None:
    result = trimtab.compare(REFERENCE, CURRENT.head(rows))

    assert (result.enough, result.drifted) == (False, False)
    assert result.summary.endswith("at least 200 are needed in each")
    assert result.columns["psi"].isna().all()
    assert repr(result).startswith("Not enough data")


def test_a_relation_is_asked_and_its_database_stays_as_it_is() -> None:
    connection = duckdb.connect()
    connection.register("frame", REFERENCE)
    connection.execute("CREATE TABLE rows AS FROM frame")
    listed = "SELECT database_name, table_name FROM duckdb_tables() ORDER BY ALL"
    views = "SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
    before = connection.sql(listed).fetchall(), connection.sql(views).fetchall()

    result = trimtab.compare(REFERENCE, connection.sql("FROM rows WHERE age > 50"))

    assert {*result.columns.query("drifted")["column"]} == {"age"}
    assert (connection.sql(listed).fetchall(), connection.sql(views).fetchall()) == before


def test_a_relation_that_cannot_be_queried_is_an_error_of_that_table() -> None:
    connection = duckdb.connect()
    relation = connection.sql("SELECT CAST(i AS VARCHAR) AS x FROM RANGE(500) AS r(i)")
    connection.close()

    fault = r"current \(DuckDB relation\): DuckDB cannot read it"
    with pytest.raises(trimtab.InvalidTableError, match=fault):
        trimtab.compare(REFERENCE, relation)


@pytest.mark.parametrize("end", ["disconnect", "drop"])
def test_an_ibis_table_that_cannot_be_queried_is_an_error_of_that_table(end: str) -> None:
    connection = ibis.duckdb.connect()
    connection.con.execute("CREATE TABLE rows AS SELECT range AS age FROM RANGE(500)")
    table = connection.table("rows")
    if end == "drop":
        connection.con.execute("DROP TABLE rows")
    else:
        connection.disconnect()

    fault = (
        r"current \(Ibis table\): DuckDB cannot read it: .*: correct the table or its connection"
    )
    with pytest.raises(trimtab.InvalidTableError, match=fault) as raised:
        trimtab.compare(REFERENCE, table)

    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("form", ["pandas", "polars", "arrow", "ibis table of polars"])
def test_a_table_in_memory_is_not_written_to_a_disk(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        message = "a temporary folder was made"
        raise AssertionError(message)

    monkeypatch.setattr("trimtab.comparison.open_sources.TemporaryDirectory", refuse)

    result = trimtab.compare(REFERENCE, FORMS[form](SAME, tmp_path, "now"))

    assert not result.drifted
    assert result.comparison.rows.current == ROWS

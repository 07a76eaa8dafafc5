"""Names, texts and numbers reach DuckDB as they are, and clauses stand in their order."""

import duckdb
import pytest

from trimtab.detection.tables.sql.statements import (
    build_select,
    format_double,
    nest_selects,
    quote_name,
    quote_text,
    quote_texts,
)


@pytest.mark.parametrize("name", ["x", 'two "quotes"', "a, b; --", "SELECT", "é", " "])
def test_a_name_is_one_identifier_whatever_it_holds(name: str) -> None:
    query = build_select("*", f"(SELECT 1 AS {quote_name(name)})")

    description = duckdb.execute(query).description or ()

    assert [column for column, *_ in description] == [name]


@pytest.mark.parametrize("text", ["", "it's", "'; drop table x; --", "line\nbreak"])
def test_a_text_is_one_literal_whatever_it_holds(text: str) -> None:
    query = build_select(f"{quote_text(text)} IN ({quote_texts(['other', text])})", "range(1)")

    assert duckdb.execute(query).fetchall() == [(True,)]


@pytest.mark.parametrize("value", [0.1, -5e-324, 1.7976931348623157e308, 1 / 3])
def test_a_number_is_the_same_double(value: float) -> None:
    assert duckdb.execute(build_select(format_double(value), "range(1)")).fetchall() == [(value,)]


def test_clauses_stand_in_the_order_of_sql_and_all_conditions_hold() -> None:
    query = build_select(
        ["a", "COUNT(*) AS n"],
        "t",
        where=["a > 1", "b < 2"],
        group_by="a",
        order_by="n",
        limit=3,
    )

    assert query == (
        "SELECT a, COUNT(*) AS n FROM t WHERE a > 1 AND b < 2 GROUP BY a ORDER BY n LIMIT 3"
    )


def test_each_step_sees_the_columns_of_the_step_before_and_empty_steps_are_skipped() -> None:
    source = nest_selects(["i + 1 AS a", "", "a * 10 AS b"], "range(2) t(i)")

    assert duckdb.execute(build_select("b", source, order_by="b")).fetchall() == [(10,), (20,)]

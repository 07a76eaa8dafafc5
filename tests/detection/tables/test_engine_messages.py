"""What an engine says of an error is one short line, without addresses of its code."""

from collections.abc import Callable

import pytest

from trimtab.detection.tables.engine_messages import format_engine_message, format_first_line

DUCKDB = """INTERNAL Error: Attempted to access index 3

Stack Trace:

/usr/lib/duckdb.so(_ZN6duckdb9ExceptionC2ENS_13ExceptionTypeE+0x3f) [0x7f0]"""


@pytest.mark.parametrize("form", [format_engine_message, format_first_line])
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (DUCKDB, "INTERNAL Error: Attempted to access index 3"),
        (DUCKDB.replace("\n\n", " ", 1), "INTERNAL Error: Attempted to access index 3"),
        ("", "ValueError"),
        ("Stack Trace: 0x3f", "ValueError"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_a_stack_trace_is_left_out(form: Callable[[Exception], str], said: str, shown: str) -> None:
    assert form(ValueError(said)) == shown


def test_only_the_first_line_is_shown_of_duckdb_and_all_of_other_engines() -> None:
    error = ValueError("\n no such table\n  LINE 1: SELECT")

    assert format_first_line(error) == "no such table"
    assert format_engine_message(error) == "no such table LINE 1: SELECT"

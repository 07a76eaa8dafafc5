"""Columns of any name can be watched."""

import re

import pytest

from trimtab.contracts.base import NAME_PATTERN
from trimtab.detection.profiles.column_names import choose_valid_names


def test_names_that_events_can_carry_stay() -> None:
    assert choose_valid_names(["sold_at", "price per m2", "a.b/c:d-e", "Größe"]) == {}


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("petal length (cm)", "petal length cm"),
        ("Rented Bike Count [n]", "Rented Bike Count n"),
        ("%", "column"),
        ("line\nbreak", "line break"),
        ("x" * 300, "x" * 120),
    ],
)
def test_other_signs_are_left_out(name: str, called: str) -> None:
    assert choose_valid_names([name]) == {name: called}


def test_no_two_columns_are_called_alike() -> None:
    found = choose_valid_names(["fee", "fee (€)", "fee ($)", ""])

    assert found == {"fee (€)": "fee 2", "fee ($)": "fee 3"}
    assert all(re.fullmatch(NAME_PATTERN, new) for new in found.values())

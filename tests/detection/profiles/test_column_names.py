"""Columns of any name can be monitored."""

import re

import pytest

from trimtab.contracts.base import NAME_PATTERN
from trimtab.detection.profiles.column_names import choose_valid_names


def test_valid_names_stay() -> None:
    assert choose_valid_names(["sold_at", "price per m2", "a.b/c:d-e", "Größe"]) == {}


@pytest.mark.parametrize(
    ("name", "renamed"),
    [
        ("petal length (cm)", "petal length cm"),
        ("Rented Bike Count [n]", "Rented Bike Count n"),
        ("%", "column"),
        ("line\nbreak", "line break"),
        ("x" * 300, "x" * 120),
    ],
)
def test_invalid_characters_are_removed(name: str, renamed: str) -> None:
    assert choose_valid_names([name]) == {name: renamed}


def test_no_two_columns_get_the_same_name() -> None:
    found = choose_valid_names(["fee", "fee (€)", "fee ($)", ""])

    assert found == {"fee (€)": "fee 2", "fee ($)": "fee 3"}
    assert all(re.fullmatch(NAME_PATTERN, new) for new in found.values())

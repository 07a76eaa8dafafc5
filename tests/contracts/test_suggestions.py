"""A slip of the pen is recognised; a different word is not."""

import pytest

from trimtab.contracts.suggestions import suggest_name

KNOWN = ("Occupancy", "capacity", "weekday")


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("occupncy", "Occupancy"),
        ("OCCUPANCY", "Occupancy"),
        ("Capacty", "capacity"),
        ("month", ""),
        ("", ""),
    ],
)
def test_the_most_similar_name_is_suggested_whatever_its_case(wrong: str, meant: str) -> None:
    assert suggest_name(wrong, KNOWN) == meant


def test_where_nothing_is_known_nothing_is_suggested() -> None:
    assert suggest_name("occupancy", ()) == ""


def test_a_stricter_similarity_suggests_less() -> None:
    assert suggest_name("occupant", KNOWN) == "Occupancy"
    assert suggest_name("occupant", KNOWN, similarity=0.9) == ""

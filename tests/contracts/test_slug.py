"""Names become file names one to one."""

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from trimtab.contracts.base import NAME_PATTERN
from trimtab.contracts.slug import slug

NAMES = st.from_regex(re.compile(NAME_PATTERN), fullmatch=True)


@given(NAMES)
def test_a_slug_is_one_safe_path_component(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9~._-]{1,96}", slug(name))
    assert not slug(name).startswith(".")


@given(NAMES, NAMES)
def test_two_names_never_share_a_file(one: str, other: str) -> None:
    assume(one != other)

    assert slug(one).lower() != slug(other).lower()


def test_plain_names_stay_readable_and_others_nearly_so() -> None:
    assert slug("birmingham-parking") == "birmingham-parking"
    assert slug("parking:2016-11-01/a b").startswith("parking-2016-11-01-a-b~")


def test_names_that_lead_elsewhere_or_differ_in_case_only_are_told_apart() -> None:
    names = [
        "wind.farm",
        "wind_farm",
        "wind-farm",
        "..",
        ".",
        "a/../b",
        "a/b",
        "a-b",
        "A-b",
        "a b",
        "~",
        "é",
        "e\u0301",
    ]

    assert len({slug(name).lower() for name in names}) == len(names)

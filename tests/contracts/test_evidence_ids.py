"""An id names one thing: it is never cut, never shared and always the same."""

import itertools
import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from trimtab.contracts.base import NAME_PATTERN
from trimtab.contracts.evidence import Citation
from trimtab.contracts.evidence_ids import (
    MAX_ID_LENGTH,
    EvidenceId,
    build_column_id,
    build_document_id,
    build_drift_id,
    build_metric_id,
    build_quality_id,
    build_segment_id,
    build_version_id,
)

LONGEST: Final = "unseen_category"
LENGTHS = (1, 122, 123, 128)
NAMES = (*("x" * length for length in LENGTHS), "y" * 127 + "a", "y" * 127 + "b", "window", "a:b")
SEGMENTS = ("577", "", "b", "ü", "BHM#1", "BHM@1", "z" * 80, "z" * 81, "z" * 300, "z" * 299 + "y")

names = st.from_regex(NAME_PATTERN, fullmatch=True)


def every_id() -> list[str]:
    """The ids of everything that evidence can be about, for the names above."""
    return [
        *map(build_drift_id, NAMES),
        *map(build_column_id, NAMES),
        *map(build_document_id, NAMES),
        *map(build_metric_id, NAMES),
        *map(build_version_id, NAMES),
        *(build_quality_id(LONGEST, name) for name in (*NAMES, None)),
        *(build_quality_id("nulls", name) for name in (*NAMES, None)),
        *(build_segment_id(*pair) for pair in itertools.product(NAMES, SEGMENTS)),
    ]


def test_different_things_have_different_ids() -> None:
    ids = every_id()

    assert len(set(ids)) == len(ids)


def test_every_id_fits_the_record_and_can_be_cited() -> None:
    for each in every_id():
        TypeAdapter(EvidenceId).validate_python(each)
        Citation(evidence_id=each, quote="PSI 0.310")


@pytest.mark.parametrize("length", LENGTHS)
def test_a_long_name_is_not_cut(length: int) -> None:
    name = "x" * length

    assert build_drift_id(name) == f"drift:{name}"
    assert build_quality_id(LONGEST, name) == f"quality:{LONGEST}:{name}"


def test_the_ids_that_people_and_documents_quote_stay_as_they_are() -> None:
    assert build_drift_id("Occupancy") == "drift:Occupancy"
    assert build_quality_id("nulls", "Capacity") == "quality:nulls:Capacity"
    assert build_quality_id("few_rows", None) == "quality:few_rows:window"
    assert build_metric_id("3") == "metric:version-3"
    assert build_version_id("3") == "registry:version-3"
    assert build_column_id("Capacity") == "inspect:Capacity"
    assert build_segment_id("Capacity", "577") == "inspect:Capacity=577"
    assert build_document_id("runbook/label-shift") == "document:runbook/label-shift"


def test_a_category_of_any_text_is_shown_in_part_and_identified() -> None:
    built = build_segment_id("SystemCodeNumber", "BHM (old) \n" + "x" * 500)

    assert re.fullmatch(r"inspect:SystemCodeNumber=BHM -old- -x{69}#[0-9a-f]{12}", built)


@given(column=names, other=names, segment=st.text(), second=st.text())
def test_no_two_categories_share_an_id(column: str, other: str, segment: str, second: str) -> None:
    first_id, second_id = build_segment_id(column, segment), build_segment_id(other, second)

    assert (first_id == second_id) == ((column, segment) == (other, second))
    assert len(first_id) <= MAX_ID_LENGTH

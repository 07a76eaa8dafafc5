"""What histories, audit logs and registries hold stays readable: fields are added, nothing else."""

from copy import deepcopy
from typing import Any

import pytest

from tests.contracts.histories import (
    Shape,
    accepts,
    breaches,
    committed_shapes,
    current_shapes,
)

ITEM = "evidence/EvidenceItem"


def test_no_field_of_a_stored_record_is_renamed_or_retyped() -> None:
    assert list(breaches(committed_shapes(), current_shapes())) == []


def test_the_snapshot_knows_every_field() -> None:
    """Write it again: python -m tests.contracts.histories."""
    assert committed_shapes() == current_shapes()


def changed(field: str, shape: Shape | None) -> dict[str, dict[str, Shape]]:
    """Return the shapes with one field of the evidence items changed, added or removed."""
    shapes = deepcopy(current_shapes())
    if shape is None:
        del shapes[ITEM][field]
    else:
        shapes[ITEM][field] = shape
    return shapes


@pytest.mark.parametrize(
    ("field", "shape", "fault"),
    [
        ("statement", None, "is gone"),
        ("value", {"type": "string", "required": False}, "was"),
        ("value", {"type": "number", "required": False}, "was"),
        ("statement", {"type": "string", "maxLength": 10, "required": True}, "widen bounds"),
        ("source", {"type": "string", "enum": ["drift"], "required": True}, "was"),
        ("column", {"type": "string", "required": True}, "give it a default"),
        ("added", {"type": "string", "required": True}, "no default"),
    ],
)
def test_a_change_that_stored_data_would_not_survive_is_seen(
    field: str, shape: Shape | None, fault: str
) -> None:
    (found,) = breaches(current_shapes(), changed(field, shape))

    assert found.startswith(f"{ITEM}.{field}")
    assert fault in found


@pytest.mark.parametrize(
    ("field", "shape"),
    [
        ("added", {"type": "string", "required": False}),
        ("statement", {"type": "string", "maxLength": 8000, "required": True}),
        ("statement", {"type": "string", "required": False}),
    ],
)
def test_an_addition_or_a_wider_bound_is_no_breach(field: str, shape: Shape) -> None:
    assert list(breaches(current_shapes(), changed(field, shape))) == []


@pytest.mark.parametrize(
    ("old", "new", "accepted"),
    [
        ({"type": "string"}, {"anyOf": [{"type": "string"}, {"type": "null"}]}, True),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string"}, False),
        ({"type": "array", "items": {"type": "string"}}, {"type": "array"}, False),
        ({"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["a", "b"]}, True),
        ({"type": "number"}, {"type": "number", "minimum": 0}, False),
        ({"type": "string", "pattern": "^a$"}, {"type": "string"}, True),
        ({"type": "string"}, {"type": "string", "pattern": "^a$"}, False),
    ],
)
def test_a_shape_accepts_another_only_if_it_takes_all_of_its_values(
    old: dict[str, Any], new: dict[str, Any], *, accepted: bool
) -> None:
    assert accepts(old, new) is accepted

"""What crosses a wall is frozen, survives JSON, and is bounded where a language model wrote it."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from tests.contracts.records import RECORDS, REPLIES, an_example

BOUNDED_LATER = {
    "ReviewReply.concerns[]": "cut when the record is built",
    "TriageReply.focus[]": "kept only if it is the name of a column",
}
"""What a reply's schema leaves open, with the reason why that is safe."""

every_model = pytest.mark.parametrize("model", RECORDS + REPLIES, ids=lambda each: each.__name__)
every_record = pytest.mark.parametrize("model", RECORDS, ids=lambda each: each.__name__)
every_reply = pytest.mark.parametrize("model", REPLIES, ids=lambda each: each.__name__)


@every_model
def test_it_is_the_same_after_a_round_trip_through_json(model: type[BaseModel]) -> None:
    example = an_example(model)

    assert model.model_validate_json(example.model_dump_json()) == example


@every_model
def test_it_cannot_be_changed(model: type[BaseModel]) -> None:
    example = an_example(model)

    for name in model.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(example, name, getattr(example, name))


@every_record
def test_a_record_ignores_a_field_of_a_newer_release(model: type[BaseModel]) -> None:
    newer = {**an_example(model).model_dump(mode="json"), "added_later": 1}

    assert model.model_validate(newer) == an_example(model)


@every_reply
def test_a_reply_with_a_field_that_nobody_asked_for_is_refused(model: type[BaseModel]) -> None:
    claimed = {**an_example(model).model_dump(mode="json"), "approved": True}

    with pytest.raises(ValidationError, match="approved"):
        model.model_validate(claimed)


@every_reply
def test_everything_in_a_reply_has_a_bound(model: type[BaseModel]) -> None:
    found = set(unbounded(model.model_json_schema(), model.__name__))

    assert found <= set(BOUNDED_LATER)


@every_model
def test_no_number_is_infinite_or_none_at_all(model: type[BaseModel]) -> None:
    assert model.model_config["allow_inf_nan"] is False


def unbounded(schema: dict[str, Any], path: str) -> Iterator[str]:
    """Yield the path of each string, list or number without an upper bound."""
    for name, part in {**schema.get("$defs", {}), **schema.get("properties", {})}.items():
        yield from unbounded(part, f"{path}.{name}")
    for part in schema.get("anyOf", []):
        yield from unbounded(part, path)
    bounds = {"string": {"maxLength", "enum"}, "array": {"maxItems"}, "number": {"maximum"}}
    if schema.get("type") in bounds and not bounds[schema["type"]] & set(schema):
        yield path
    if "items" in schema:
        yield from unbounded(schema["items"], f"{path}[]")

"""Every error of a record becomes one line that names the field, its value and what is wrong."""

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trimtab.contracts.validation_errors import format_validation_errors


class Window(BaseModel):
    rows: int
    days: tuple[int, ...]


class Event(BaseModel):
    id: str
    window: Window


def error_for(plain: object) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Event.model_validate(plain)
    return caught.value


def test_each_error_names_the_path_the_value_and_the_fault() -> None:
    error = error_for({"id": 3, "window": {"rows": 1, "days": [1, float("inf")]}})

    assert format_validation_errors(error) == [
        "id = 3: Input should be a valid string",
        "window.days.1 = inf: Input should be a finite number",
    ]


def test_a_missing_field_shows_no_value_for_that_would_be_its_parent_s() -> None:
    error = error_for({"id": "e", "window": {"rows": 1}})

    assert format_validation_errors(error) == ["window.days: Field required"]


def test_an_error_about_the_whole_input_has_a_name_too() -> None:
    error = error_for("no record")

    (line,) = format_validation_errors(error, whole="event")

    assert line.startswith("event = 'no record': ")


def test_a_long_value_is_cut_and_none_is_shown_where_none_is_wanted() -> None:
    error = error_for({"id": ["x" * 500], "window": {"rows": 1, "days": []}})

    (cut,) = format_validation_errors(error, max_value_length=10)
    (without,) = format_validation_errors(error, max_value_length=0)

    assert cut == "id = ['xxxxxxxx: Input should be a valid string"
    assert without == "id: Input should be a valid string"


def test_a_remedy_stands_at_the_end_where_there_is_one() -> None:
    def suggest_remedy(error: ErrorDetails) -> str:
        return "add it" if error["type"] == "missing" else ""

    error = error_for({"id": 3})

    assert format_validation_errors(error, suggest_remedy=suggest_remedy) == [
        "id = 3: Input should be a valid string",
        "window: Field required: add it",
    ]

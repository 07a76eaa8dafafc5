"""Reads a YAML file that a person wrote into a record, and names everything wrong with it at once.

A bare number is no duration, and an unknown key is an error.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trimtab.contracts.suggestions import suggest_name
from trimtab.contracts.validation_errors import format_validation_errors
from trimtab.files.yaml_text import InvalidYamlError, parse_yaml
from trimtab.runtime.errors import BadConfigurationError

RecordT = TypeVar("RecordT", bound=BaseModel)

_DURATION: Final = "write a duration such as PT6H (6 hours) or P7D (7 days)"
_INSTANT: Final = "write date, time and zone, such as 2016-10-04T00:00:00Z"
_LOCAL_TIME: Final = "write a local time such as 18:00"
_REMEDIES: Final = {
    "time_delta_type": _DURATION,
    "time_delta_parsing": _DURATION,
    "timezone_aware": _INSTANT,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "time_type": _LOCAL_TIME,
    "time_parsing": _LOCAL_TIME,
    "string_type": "write text; put a number in quotes",
    "missing": "add it",
}
"""Remedies by Pydantic's name of the error."""


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the content of a YAML file, {} where it is empty.

    Raises:
        BadConfigurationError: The file cannot be read, is no YAML or holds no mapping.
    """
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
    except InvalidYamlError as error:
        raise BadConfigurationError([f"{path}: {error}: correct the YAML there"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfigurationError([f"{path}: cannot be read as UTF-8 text: {error}"]) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise BadConfigurationError([f"{path}: {content!r:.120}: write `key: value` lines"])
    return {str(key): value for key, value in content.items()}


def validate_record(raw: dict[str, Any], record: type[RecordT], *, thing: str) -> RecordT:
    """Return the record that raw describes; unknown keys are errors.

    Args:
        raw: What a file holds.
        record: The class to make of it.
        thing: What the messages call raw, such as the file's path.

    Raises:
        BadConfigurationError: Everything that is wrong, at once.
    """
    try:
        text = json.dumps(raw, default=str)
        return record.model_validate_json(text, strict=True, extra="forbid")
    except ValidationError as error:
        faults = format_configuration_errors(error, record, thing=thing)
        raise BadConfigurationError(faults) from None


def format_configuration_errors(
    error: ValidationError, record: type[BaseModel], *, thing: str
) -> list[str]:
    """Return one line per error: the thing, the key, the value, what is wrong and what to do."""
    lines = format_validation_errors(
        error, suggest_remedy=lambda each: _suggest_remedy(each, record)
    )
    return [f"{thing}: {line}" for line in lines]


def merge_mappings(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return base with over's values: mappings merge, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = merge_mappings(below, value)
        else:
            merged[key] = value
    return merged


def _suggest_remedy(error: ErrorDetails, record: type[BaseModel]) -> str:
    if error["type"] != "extra_forbidden":
        return _REMEDIES.get(error["type"], "")
    known = _find_record(record, error["loc"][:-1]).model_fields
    meant = suggest_name(str(error["loc"][-1]), known)
    return f"did you mean {meant}?" if meant else f"take it out; known are {', '.join(known)}"


def _find_record(record: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the class of the record at a path below another one."""
    for key in path:
        if key in record.model_fields:
            record = next(_find_records(record.model_fields[str(key)].annotation), record)
    return record


def _find_records(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _find_records(argument)

"""Reads a YAML file that a person wrote into a record, and names everything wrong with it at once.

YAML 1.1 guesses: here `18:00`, `no` and `2016-10-04` stay the words that they look like, a bare
number is no span of time, a key that stands twice is a fault, and so is one that nobody reads.
"""

import difflib
import json
import re
from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trimtab.runtime.settings import BadConfigurationError

RecordT = TypeVar("RecordT", bound=BaseModel)

_SPAN: Final = "write a span such as PT6H (6 hours) or P7D (7 days)"
_INSTANT: Final = "write date, time and zone, such as 2016-10-04T00:00:00Z"
_LOCAL_TIME: Final = "write a local time such as 18:00"
_REMEDIES: Final = {
    "time_delta_type": _SPAN,
    "time_delta_parsing": _SPAN,
    "timezone_aware": _INSTANT,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "time_type": _LOCAL_TIME,
    "time_parsing": _LOCAL_TIME,
    "string_type": "write text; put a number in quotes",
    "missing": "add it",
}


def read_mapping(path: Path) -> dict[str, Any]:
    """The file's content; {} where it is empty.

    Raises `BadConfigurationError` when it cannot be read or is no mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_PlainLoader)  # noqa: S506 - derives from SafeLoader
    except yaml.YAMLError as error:
        raise BadConfigurationError([f"{path}: {_flatten(error)}: mend the YAML there"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfigurationError([f"{path}: cannot be read as UTF-8 text: {error}"]) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise BadConfigurationError([f"{path}: {content!r:.120}: write `key: value` lines"])
    return {str(key): value for key, value in content.items()}


def to_record(raw: dict[str, Any], record: type[RecordT], *, thing: str) -> RecordT:
    """The record that raw describes; raises `BadConfigurationError` with every fault."""
    try:
        text = json.dumps(raw, default=str)
        return record.model_validate_json(text, strict=True, extra="forbid")
    except ValidationError as error:
        raise BadConfigurationError(faults_in(error, record, thing=thing)) from None


def faults_in(error: ValidationError, record: type[BaseModel], *, thing: str) -> list[str]:
    """One line a fault: the thing, the key, the value, what is wrong with it and what to do."""
    return [_describe(fault, thing, record) for fault in error.errors(include_url=False)]


def overlaid(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Base with over's values: mappings merge, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = overlaid(below, value)
        else:
            merged[key] = value
    return merged


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant; "" where none is near."""
    folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), folded, n=1)
    return folded[found[0]] if found else ""


def _describe(fault: ErrorDetails, thing: str, record: type[BaseModel]) -> str:
    place = ".".join(str(part) for part in fault["loc"]) or "(whole)"
    remedy = _remedy(fault, record)
    shown = "" if fault["type"] == "missing" else f" = {fault['input']!r:.120}"
    return f"{thing}: {place}{shown}: {fault['msg']}{remedy and ': '}{remedy}"


def _remedy(fault: ErrorDetails, record: type[BaseModel]) -> str:
    if fault["type"] != "extra_forbidden":
        return _REMEDIES.get(fault["type"], "")
    key = str(fault["loc"][-1])
    known = _record_at(record, fault["loc"][:-1]).model_fields
    meant = nearest(key, known)
    return f"did you mean {meant}?" if meant else f"take it out; known are {', '.join(known)}"


def _record_at(record: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel]:
    for key in place:
        if key in record.model_fields:
            record = next(_records_in(record.model_fields[str(key)].annotation), record)
    return record


def _records_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _records_in(part)


def _flatten(error: yaml.YAMLError) -> str:
    return " ".join(str(error).split())


class _PlainLoader(yaml.SafeLoader):
    """YAML without version 1.1's guesses, and without keys that stand twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - the base class's signature
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(
                problem=f"{', '.join(twice)} stands twice", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep=deep)


_INTEGER = r"[-+]?(?:0|[1-9][0-9]*)"
_DECIMAL = r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)"
_PLAIN: Final = [
    (f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"))
    for tag, pattern in (
        ("null", "~|null|"), ("bool", "true|false"), ("int", _INTEGER), ("float", _DECIMAL)
    )
]  # fmt: skip
_PlainLoader.yaml_implicit_resolvers = {None: _PLAIN}

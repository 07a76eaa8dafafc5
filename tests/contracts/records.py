"""Every record and reply of the contracts, and one valid example of each, made from its schema."""

import importlib
import pkgutil
from typing import Any, Final

from pydantic import BaseModel

from trimtab import contracts
from trimtab.contracts.base import Record, Reply

STRINGS: Final = {
    "subject": "model",
    "timezone": "UTC",
    "program": "temporal",
    "keys": f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{'A' * 43}",
    "webhook": "https://example.com",
}
"""Values of fields whose schema does not say all that is asked of them."""
START, END = "2026-11-20T12:00:00Z", "2026-11-27T12:00:00Z"


def subclasses_in_contracts(base: type[BaseModel]) -> list[type[BaseModel]]:
    """Return every class of that kind that a module of the contracts defines."""
    found = {
        value
        for info in pkgutil.iter_modules(contracts.__path__)
        for value in vars(importlib.import_module(f"{contracts.__name__}.{info.name}")).values()
        if isinstance(value, type)
        and issubclass(value, base)
        and value is not base
        and value.__module__.startswith(f"{contracts.__name__}.")
    }
    return sorted(found, key=lambda each: each.__name__)


RECORDS: Final = subclasses_in_contracts(Record)
REPLIES: Final = subclasses_in_contracts(Reply)


def an_example(model: type[BaseModel]) -> BaseModel:
    """Return an instance with every field set."""
    schema = model.model_json_schema()
    return model.model_validate(_value(schema, "", schema.get("$defs", {})))


def _value(schema: dict[str, Any], name: str, definitions: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _value(definitions[schema["$ref"].rpartition("/")[2]], name, definitions)
    if "anyOf" in schema:
        first = next(each for each in schema["anyOf"] if each.get("type") != "null")
        return _value(first, name, definitions)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("type") == "object" or "properties" in schema:
        return _object(schema, name, definitions)
    if schema.get("type") == "array":
        items = schema.get("prefixItems") or [schema.get("items", {})]
        return [_value(each, name, definitions) for each in items]
    return _scalar(schema, name)


def _object(schema: dict[str, Any], name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    if "properties" in schema:
        return {key: _value(each, key, definitions) for key, each in schema["properties"].items()}
    keys = schema.get("propertyNames", {"type": "string"})
    rest = schema.get("additionalProperties", True)
    for each in schema.get("patternProperties", {}).values():  # keys with a pattern
        rest = each
    key = _value(keys, "key", definitions)
    return {key: _value(rest, name, definitions) if isinstance(rest, dict) else 1}


def _scalar(schema: dict[str, Any], name: str) -> Any:
    if schema.get("type") == "boolean":
        return True
    if schema.get("type") == "string":
        return _string(schema, name)
    if "exclusiveMinimum" in schema:
        return schema["exclusiveMinimum"] + 0.25
    return schema.get("minimum", 1)


def _string(schema: dict[str, Any], name: str) -> str:
    formats = {
        "date-time": END if name == "end" else START,
        "duration": "PT1H",
        "time": "12:00:00",
    }
    patterns = {r"^[0-9a-f]{64}$": "a" * 64, r"^[A-Z]{3}$": "EUR", r"^[A-Z]{2,3}$": "DE"}
    if "format" in schema:
        return formats[schema["format"]]
    return patterns.get(schema.get("pattern", ""), STRINGS.get(name, name))

"""Reads YAML in one dialect, wherever Trimtab reads it, and writes what every dialect reads alike.

YAML 1.1 guesses: it takes `18:00` for 1,080, `no` for false, `1_000` for 1,000 and `2016-10-04`
for a date. Here they stay the words that they look like. Only `null`, `true`, `false` and plain
numbers are more than text, and a key that stands twice in a mapping is an error.
"""

import copy
import json
import re
from functools import lru_cache
from typing import Any, Final

import yaml

_MAX_WIDTH: Final = 10**6
"""Width that no line reaches, so that none is wrapped."""
_INTEGER: Final = r"[-+]?(?:0|[1-9][0-9]*)"
_DECIMAL: Final = r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)"
_RESOLVERS: Final = [
    (f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"))
    for tag, pattern in (
        ("null", "~|null|"),
        ("bool", "true|false"),
        ("int", _INTEGER),
        ("float", _DECIMAL),
    )
]
"""Types and patterns of words without quotes that are not text."""


_TEXTS_KEPT: Final = 64
"""Texts whose values a process keeps: PyYAML needs 10 ms for a page, and every pipeline reads the
same few files."""
_UNNAMED: Final = "<unicode string>"
"""What PyYAML calls a text that is in no file."""


class InvalidYamlError(ValueError):
    """The text is no YAML; says where and why, in one line."""


def parse_yaml(text: str) -> object:
    """Return the one document in the text, None where it is empty; the caller may change it.

    Raises:
        InvalidYamlError: The text is no YAML, or a key stands twice in a mapping.
    """
    try:
        return copy.deepcopy(_load(text))
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise InvalidYamlError(said.replace(f'in "{_UNNAMED}", ', "at ")) from None


def format_yaml(value: object) -> str:
    """Return the value as YAML; text that any dialect would take for something else is quoted."""
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False)


def format_yaml_line(value: object) -> str:
    """Return the value as YAML on one line, in flow style, as `format_yaml` quotes it."""
    if isinstance(value, str) and not value.isprintable():
        return json.dumps(value)
    # A value on its own would be followed by the end mark of a document.
    line = yaml.safe_dump(
        [value], default_flow_style=True, width=_MAX_WIDTH, allow_unicode=True, sort_keys=False
    )
    return line.strip()[1:-1]


@lru_cache(maxsize=_TEXTS_KEPT)
def _load(text: str) -> object:
    return _PlainLoader(text).get_single_data()


class _PlainLoader(yaml.SafeLoader):
    """A loader without YAML 1.1's guesses, and without keys that stand twice."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.yaml_implicit_resolvers = {None: _RESOLVERS}

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        if repeated:
            raise yaml.composer.ComposerError(
                problem=f"{', '.join(repeated)} stands twice", problem_mark=node.start_mark
            )
        return node

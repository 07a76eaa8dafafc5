"""YAML is read in one dialect, and what is written reads alike in all of them."""

import pytest
import yaml

from trimtab.files.yaml_text import (
    InvalidYamlError,
    format_yaml,
    format_yaml_line,
    parse_yaml,
)


@pytest.mark.parametrize(
    "word",
    [
        "1_000", "on", "off", "yes", "no", "y", "N", "True", "NULL", "18:00", "1:30:00",
        "2016-10-04", "2016-10-04T00:00:00Z", "0o17", "0x1F", "010", ".inf", ".nan", "1,5",
        "=", "<<",
    ],
)  # fmt: skip
def test_words_stay_words(word: str) -> None:
    assert parse_yaml(f"key: {word}") == {"key": word}
    assert parse_yaml(f"{word}: key") == {word: "key"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1000", 1000),
        ("-3", -3),
        ("0", 0),
        ("0.80", 0.8),
        (".5", 0.5),
        ("1e6", 1e6),
        ("1.5e-3", 0.0015),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'1000'", "1000"),
        ("[1, a]", [1, "a"]),
    ],
)
def test_plain_numbers_and_flags_are_numbers_and_flags(text: str, value: object) -> None:
    assert parse_yaml(f"key: {text}") == {"key": value}


def test_an_empty_text_holds_nothing() -> None:
    assert parse_yaml("# only a comment\n") is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\nb: 2\na: 3\n", "a stands twice"),
        ("a: {b: 1, b: 2}", "b stands twice"),
        ("a: [1", "expected ',' or ']'"),
        ("!!python/object:os.system {}", "could not determine a constructor"),
        ("a: 1\n---\nb: 2\n", "single document"),
        ("a: \x00", "unacceptable character"),
    ],
)
def test_text_that_is_no_yaml_is_named_in_one_line(text: str, fault: str) -> None:
    with pytest.raises(InvalidYamlError) as caught:
        parse_yaml(text)

    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        {"confidence_above": 0.9, "name": "no", "start": "18:00", "since": "2016-10-04"},
        {"on": "1000", "size": "1_000", "kind": None, "rows": [1, 2.5, True], "ort": "Köln"},
    ],
)
def test_written_yaml_reads_alike_here_and_in_yaml_1_1(value: object) -> None:
    text = format_yaml(value)

    assert parse_yaml(text) == value
    assert yaml.safe_load(text) == value


@pytest.mark.parametrize(
    "value",
    ["no", "18:00", "a: b # c", "line\nbreak", "\x1b[31m", "x" * 500, "", None, 12, 0.5, ["a", 1]],
)
def test_a_line_of_yaml_is_one_line_and_reads_alike_everywhere(value: object) -> None:
    line = format_yaml_line(value)

    assert "\n" not in line
    assert parse_yaml(f"key: {line}") == {"key": value}
    assert yaml.safe_load(f"key: {line}") == {"key": value}


def test_a_fault_names_its_line_and_no_file_that_does_not_exist() -> None:
    with pytest.raises(InvalidYamlError, match="at line 1, column 4") as raised:
        parse_yaml("a: [1\nb: 2")

    assert "unicode string" not in str(raised.value)


def test_what_a_caller_does_to_a_value_reaches_no_other_caller() -> None:
    text = "folder: {names: [one]}"
    first = parse_yaml(text)
    assert isinstance(first, dict)

    first["folder"]["names"].append("two")

    assert parse_yaml(text) == {"folder": {"names": ["one"]}}

import pytest

from trimtab.cli.record_format import MAX_VALUE_LENGTH, format_record


def test_each_thing_has_a_line_and_what_is_empty_has_none() -> None:
    record = {"drifted": ["age", "income"], "failure": "", "plan": None, "rows": 629}

    assert list(format_record(record)) == ["drifted: age, income", "rows: 629"]


def test_a_record_in_a_record_is_indented() -> None:
    record = {"confidence": {"value": 0.87061234, "self_reported": 1}}

    assert list(format_record(record)) == ["confidence:", "  value: 0.8706", "  self_reported: 1"]


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (
            {"reason": "no action is recent", "rule": "cooldown", "verdict": "execute"},
            "cooldown: no action is recent; execute",
        ),
        ({"name": "margin", "value": 1, "weight": 0.3}, "margin: value 1; weight 0.3"),
        ({"cost": "5"}, "cost 5"),
    ],
)
def test_records_in_a_list_are_called_by_their_names(record: dict[str, object], line: str) -> None:
    assert list(format_record({"results": [record]})) == ["results:", f"  • {line}"]


def test_digests_and_long_texts_are_shortened() -> None:
    digest, text = "0123456789ab" + "c" * 52, "x" * (MAX_VALUE_LENGTH + 1)

    assert list(format_record({"hash": digest, "text": text})) == [
        "hash: 0123456789ab…",
        f"text: {'x' * MAX_VALUE_LENGTH}…",
    ]

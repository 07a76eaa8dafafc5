"""Columns are classified by their storage types, and each one left out has a reason."""

import pytest

from trimtab.contracts.drift import FeatureKind, FeatureRole
from trimtab.detection.profiles.row_numbers import PANDAS_INDEX_REASON
from trimtab.detection.tables.column_inference import classify_columns
from trimtab.detection.tables.column_types import StorageType, parse_duckdb_type


@pytest.mark.parametrize(
    ("type_name", "storage"),
    [
        ("UTINYINT", StorageType.INTEGER),
        ("HUGEINT", StorageType.INTEGER),
        ("DOUBLE", StorageType.FLOAT),
        ("DECIMAL(18,3)", StorageType.DECIMAL),
        ("BOOLEAN", StorageType.BOOLEAN),
        ("VARCHAR", StorageType.TEXT),
        ("ENUM('a', 'b')", StorageType.TEXT),
        ("UUID", StorageType.TEXT),
        ("TIMESTAMP WITH TIME ZONE", StorageType.TIME),
        ("INTERVAL", StorageType.TIME),
        ("DOUBLE[]", StorageType.OTHER),
        ("STRUCT(a INTEGER)", StorageType.OTHER),
        ("BLOB", StorageType.OTHER),
    ],
)
def test_each_duckdb_type_has_a_storage_type(type_name: str, storage: StorageType) -> None:
    assert parse_duckdb_type(type_name) is storage


def test_numbers_are_numeric_and_flags_and_texts_are_categorical() -> None:
    types = {"price": StorageType.DECIMAL, "flag": StorageType.BOOLEAN, "shop": StorageType.TEXT}

    found = classify_columns(types, [], target="flag")

    kinds = {each.name: each.kind for each in found.columns}
    numeric, categorical = FeatureKind.NUMERIC, FeatureKind.CATEGORICAL
    assert kinds == {"price": numeric, "flag": categorical, "shop": categorical}
    assert [each.name for each in found.columns if each.role is FeatureRole.TARGET] == ["flag"]
    assert found.left_out == {}


def test_columns_that_cannot_be_monitored_are_left_out_with_the_reason() -> None:
    types = {
        "at": StorageType.TIME,
        "tags": StorageType.OTHER,
        "": StorageType.FLOAT,
        "Unnamed: 0": StorageType.INTEGER,
        "id": StorageType.TEXT,
        "ignored": StorageType.TIME,
    }

    found = classify_columns(types, ["ignored"], target=None, unfit={"id": "it is an identifier"})

    assert found.columns == ()
    assert found.left_out == {
        "at": "it holds timestamps, which always increase",
        "tags": "it has no name, or holds neither numbers nor categories",
        "": "it has no name, or holds neither numbers nor categories",
        "Unnamed: 0": PANDAS_INDEX_REASON,
        "id": "it is an identifier",
    }


def test_a_target_is_monitored_even_if_it_is_named_like_an_index() -> None:
    found = classify_columns({"Unnamed: 0": StorageType.INTEGER}, [], target="Unnamed: 0")

    assert [each.role for each in found.columns] == [FeatureRole.TARGET]

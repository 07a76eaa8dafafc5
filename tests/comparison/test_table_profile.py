"""A profile is small, is saved, adds up, and stands for its table."""

import json
from copy import deepcopy
from pathlib import Path

import pandas as pd
import pytest

import trimtab
from tests.comparison.tables import ROWS, make_frame

TABLE = make_frame(1)
LATER = make_frame(2, shift=1.0)


def test_a_profile_of_partitions_is_that_of_the_table() -> None:
    first = trimtab.profile(TABLE.head(500))
    parts = [trimtab.profile(TABLE[at : at + 500], like=first) for at in (500, 1000, 1500)]
    like = trimtab.profile(TABLE, like=first)

    whole = first.merge(parts[0]) + parts[1] + parts[2]

    assert whole.rows == ROWS
    for merged, counted in zip(
        whole.record.profile.columns, like.record.profile.columns, strict=True
    ):
        assert merged.counts == counted.counts
        assert merged.nulls == counted.nulls
        assert merged.known == counted.known
        assert (merged.minimum, merged.maximum) == (counted.minimum, counted.maximum)
        assert merged.mean == (None if counted.mean is None else pytest.approx(counted.mean))
        assert merged.std == (None if counted.std is None else pytest.approx(counted.std))


def test_merged_partitions_are_compared_like_a_table() -> None:
    first = trimtab.profile(TABLE.head(1000))
    reference = first + trimtab.profile(TABLE.tail(1000), like=first)

    drifted = trimtab.compare(reference, LATER)
    same = trimtab.compare(reference, make_frame(3))

    assert {*drifted.columns.query("drifted")["column"]} == {"income"}
    assert not same.drifted
    assert drifted.comparison.rows.reference == ROWS


def test_a_profile_tells_what_it_holds() -> None:
    profile = trimtab.profile(TABLE, target="income")

    columns = profile.columns.set_index("column")
    assert repr(profile) == (
        "<TableProfile of pandas data frame: 2,000 rows, 2 numeric and 2 categorical columns, 1"
        " left out>"
    )
    assert profile.left_out == {"at": "it holds timestamps, which always increase"}
    assert columns.loc["income", "role"] == "target"
    assert columns.loc["income", "mean"] == pytest.approx(TABLE["income"].mean())
    assert columns.loc["income", "missing"] == pytest.approx(TABLE["income"].isna().mean())
    assert columns.loc["city", "most_frequent"] in {"London", "Paris", "Rome"}
    assert len(profile.to_json()) < 100_000


def test_a_profile_keeps_the_options_it_was_made_with(tmp_path: Path) -> None:
    trimtab.profile(TABLE, timestamp="at", target="age", ignore=["city"]).save(tmp_path / "p.json")
    profile = trimtab.load_profile(tmp_path / "p.json")
    current = trimtab.profile(LATER, like=profile)

    result = trimtab.compare(profile, LATER)

    assert result.comparison.target
    assert result.comparison.target.name == "age"
    assert {*result.columns["column"]} == {"income", "age", "member"}
    assert [fault.kind for fault in result.faults] == ["stale"]
    assert trimtab.compare(profile, current).comparison.features == result.comparison.features


def test_columns_of_a_profile_can_be_ignored_later() -> None:
    profile = trimtab.profile(TABLE)

    result = trimtab.compare(profile, LATER, ignore=["income", "at"])

    assert not result.drifted
    assert {*result.columns["column"]} == {"age", "city", "member"}
    assert result.left_out == {}
    with pytest.raises(trimtab.InvalidProfileError, match="all of its columns are ignored"):
        trimtab.compare(profile, LATER, ignore=[*TABLE])


def test_a_profile_over_other_bins_is_no_current_side() -> None:
    with pytest.raises(
        trimtab.InvalidProfileError,
        match=r"current \(profile of pandas data frame\): column 'income' was not counted over the"
        r" reference's bins: make this profile with trimtab.profile\(table, like=",
    ):
        trimtab.compare(TABLE, trimtab.profile(LATER))


def test_profiles_over_other_bins_do_not_add_up() -> None:
    first = trimtab.profile(TABLE)

    with pytest.raises(trimtab.InvalidProfileError, match="not counted over the bins"):
        first + trimtab.profile(LATER)
    with pytest.raises(trimtab.InvalidProfileError, match="differs in timestamp"):
        first + trimtab.profile(LATER, timestamp="at")
    with pytest.raises(TypeError):
        first + 1  # type: ignore[operator]  # the point


@pytest.mark.parametrize(
    ("option", "value", "fault"),
    [
        ("timestamp", "at", "timestamp='at': a saved profile was made without a timestamp"),
        ("target", "city", "target='city': a saved profile was made with target='age'"),
    ],
)
def test_an_option_that_the_profile_lacks_is_refused(option: str, value: str, fault: str) -> None:
    profile = trimtab.profile(TABLE, target="age")

    with pytest.raises(trimtab.InvalidOptionError, match=fault):
        trimtab.compare(profile, LATER, **{option: value})  # type: ignore[arg-type]


def test_two_profiles_must_have_been_made_alike() -> None:
    reference = trimtab.profile(TABLE)
    current = trimtab.profile(LATER, timestamp="at")

    with pytest.raises(trimtab.InvalidOptionError, match="made without a timestamp"):
        trimtab.compare(reference, current)


def test_what_a_profile_is_made_like_settles_its_options() -> None:
    first = trimtab.profile(TABLE, ignore=["city"])

    assert trimtab.profile(LATER, like=first, ignore=["city"]).rows == ROWS
    with pytest.raises(trimtab.InvalidOptionError, match=r"ignore=\('age',\): differs from the"):
        trimtab.profile(LATER, like=first, ignore=["age"])
    with pytest.raises(trimtab.InvalidOptionError, match="like=DataFrame: must be a profile"):
        trimtab.profile(LATER, like=TABLE)  # type: ignore[arg-type]  # the point


def test_a_wrong_option_of_a_profile_speaks_of_its_table() -> None:
    with pytest.raises(trimtab.InvalidOptionError, match="target='x': the table has no such"):
        trimtab.profile(TABLE, target="x")
    with pytest.raises(trimtab.InvalidTableError, match=r"table 'nowhere\.csv': there is no"):
        trimtab.profile("nowhere.csv")
    with pytest.raises(trimtab.InvalidTableError, match="no column can be compared"):
        trimtab.profile(pd.DataFrame({"at": TABLE["at"]}))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "profile '.*p.json': holds no profile that this version reads"),
        ("{}", "source: Field required"),
        ('{"schema_version": "7"}', "schema_version"),
    ],
)
def test_a_file_without_a_profile_is_refused(content: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(content)

    with pytest.raises(trimtab.InvalidProfileError, match=fault):
        trimtab.load_profile(tmp_path / "p.json")
    with pytest.raises(FileNotFoundError):
        trimtab.load_profile(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("column", "change", "fault"),
    [
        ("age", {"edges": [], "cuts": []}, r"column 'age' has \d+ counts for 1 bins"),
        ("age", {"minimum": None}, "column 'age' has values, the minimum None and the maximum"),
        ("age", {"minimum": 200.0}, "column 'age' has values, the minimum 200.0"),
        ("age", {"std": -1}, "column 'age' has the standard deviation -1"),
        ("age", {"cuts": [5000]}, "column 'age' has cuts that are not positions of its edges"),
        ("age", {"known": ["a"]}, "column 'age' is numeric and has known"),
        ("age", {"nulls": 5000}, "column 'age' has 5000 nulls, 0 unreadable, in 2000 rows"),
        ("city", {"cuts": [1]}, "column 'city' is categorical and has cuts"),
        ("city", {"counts": [1]}, r"column 'city' has 1 counts for \d+ bins"),
        ("city", {"counts": [-1, 1, 1, 1]}, "column 'city' has counts that are not those of"),
    ],
)
def test_a_profile_whose_figures_contradict_each_other_is_refused(
    column: str, change: dict[str, object], fault: str, tmp_path: Path
) -> None:
    content = json.loads(trimtab.profile(TABLE).to_json())
    (found,) = [
        each for each in content["profile"]["columns"] if each["column"]["name"] == column
    ]  # fmt: skip
    found.update(change)
    (tmp_path / "p.json").write_text(json.dumps(content))

    with pytest.raises(trimtab.InvalidProfileError, match=f"{fault}.*write it again with"):
        trimtab.load_profile(tmp_path / "p.json")


def test_a_profile_that_holds_a_column_twice_is_refused(tmp_path: Path) -> None:
    content = json.loads(trimtab.profile(TABLE).to_json())
    content["profile"]["columns"] *= 2
    (tmp_path / "p.json").write_text(json.dumps(content))

    with pytest.raises(trimtab.InvalidProfileError, match=r"holds column '\w+' twice"):
        trimtab.load_profile(tmp_path / "p.json")


@pytest.mark.parametrize("values", [[], [None] * 5, [1.0] * 300, ["a"] * 300, list("abcdef") * 50])
def test_a_profile_of_an_odd_table_can_be_read_again(values: list[object], tmp_path: Path) -> None:
    table = pd.DataFrame({"x": pd.Series(values, dtype=None if values else "float64"), "y": 1.0})
    profile = trimtab.profile(table)

    profile.save(tmp_path / "p.json")

    assert trimtab.load_profile(tmp_path / "p.json") == profile


def test_only_profiles_can_be_merged() -> None:
    with pytest.raises(trimtab.InvalidOptionError, match="other=NoneType: must be a profile"):
        trimtab.profile(TABLE).merge(None)  # type: ignore[arg-type]  # the point


def test_results_profiles_and_errors_cross_processes() -> None:
    profile, result = trimtab.profile(TABLE), trimtab.compare(TABLE, LATER)
    error = trimtab.InvalidTableError("is bad", subject="current", value="'x'")

    assert deepcopy(profile) == profile  # copies by the way of pickle
    assert deepcopy(result).comparison == result.comparison
    assert str(deepcopy(error)) == "current 'x': is bad"

"""A bad release needs a release, and a version that regains most of the loss."""

from datetime import timedelta
from typing import Any

import pytest

from tests.detection.windows import START, WEEK
from trimtab.contracts.drift import PerformanceChange
from trimtab.contracts.fitted import ServedModel, ServedWindow
from trimtab.contracts.tags import ROLE_TAG, TRAINED_END_TAG, build_promotion_tag
from trimtab.detection.performance.release_history import (
    compute_regained_share,
    count_windows_since_release,
    estimate_windows_since_release,
    was_served_before,
)


def version(**tags: str) -> ServedModel:
    return ServedModel(
        version="2", run_id="r", metrics={}, tags=tags, load=dict, artifact=lambda _: {}
    )


def windows(*versions: str) -> list[ServedWindow]:
    """Return weeks that these versions served, the newest first."""
    return [
        ServedWindow(each, START - index * WEEK) for index, each in enumerate(versions, start=1)
    ]


@pytest.mark.parametrize(
    ("served", "expected"),
    [
        (("1", "1"), 0), (("2", "2", "1"), 2), (("2", "2"), None), ((), None),
        (("3", "2"), None), (("other",), None),
    ],
)  # fmt: skip
def test_a_release_is_where_an_older_version_served_before(
    served: tuple[str, ...], expected: int | None
) -> None:
    assert count_windows_since_release("2", windows(*served), before=START) == expected


def test_windows_that_are_judged_again_or_later_count_once() -> None:
    served = [ServedWindow("2", START), *windows("2", "2", "1")]

    assert count_windows_since_release("2", [served[1], *served], before=START) == 2


def test_tags_tell_the_release_of_a_promoted_version() -> None:
    promoted = {build_promotion_tag("k"): "done", TRAINED_END_TAG: START.isoformat()}
    ages = {
        estimate_windows_since_release(
            version(**tags), end=START + 2 * WEEK, length=WEEK, label_delay=timedelta(0)
        )
        for tags in (promoted, {TRAINED_END_TAG: START.isoformat()})
    }

    assert ages == {1, None}


def test_a_version_served_if_it_was_trained_for_it_or_promoted() -> None:
    assert was_served_before(version(**{ROLE_TAG: "champion"}))
    assert was_served_before(version(**{build_promotion_tag("k"): "done"}))
    assert not was_served_before(version(**{ROLE_TAG: "challenger"}))


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.85, 0.6], 0.875), ([0.55], 0.125), ([0.1], -1.0), ([0.99], 1.0), ([], None)],
)
def test_the_regained_share_is_that_of_the_best_version(
    values: list[float], expected: float | None
) -> None:
    fields: dict[str, Any] = {"metric": "r2", "rows": 9, "degraded": True}
    change = PerformanceChange(reference=0.9, current=0.5, **fields)

    share = compute_regained_share(change, values)

    assert share == (None if expected is None else pytest.approx(expected))

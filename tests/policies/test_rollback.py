"""Only a former champion that is better on the newest rows may be rolled back to."""

from datetime import timedelta
from typing import Any

import pytest

from policies.evidence import compose_evidence, select_versions_to_measure
from policies.rollback import explain_unfit_target, list_fit_targets
from tests.builders import NOW, WEEK, a_finding
from trimtab.contracts.drift import Window
from trimtab.contracts.evidence import RegistryFacts
from trimtab.contracts.model import ModelVersion, VersionMetric

FIT: dict[str, Any] = {
    "champion": "4",
    "metrics": {"2": 0.9, "4": 0.8},
    "former_champions": ("2",),
    "margin": 0.005,
}


def a_version(version: str, tags: dict[str, str], *, trained: bool = False) -> ModelVersion:
    """A version that was trained up to a week ago, or on the newest rows too."""
    end = NOW if trained else NOW - 2 * WEEK
    return ModelVersion(
        model="parking",
        version=version,
        created_at=NOW,
        trained_on=Window(start=NOW - 9 * WEEK, end=end, rows=9000),
        tags={f"trimtab.{name}": value for name, value in tags.items()},
    )


FIRST = {"role": "champion"}
PROMOTED = {"role": "challenger", "promoted_by.abc": "done"}
REFUSED = {"role": "challenger"}


def a_registry(*versions: ModelVersion, champion: str = "4") -> RegistryFacts:
    found = next(version for version in versions if version.version == champion)
    return RegistryFacts(champion=found, versions=versions, last_action_at=None)


def test_a_former_champion_that_is_better_now_is_fit() -> None:
    assert explain_unfit_target("2", **FIT) == ""


@pytest.mark.parametrize(
    ("target", "changes", "reason"),
    [
        (None, {}, "names no target"),
        ("4", {}, "not older"),
        ("5", {"metrics": {"5": 0.99, "4": 0.8}, "former_champions": ("5",)}, "not older"),
        ("main", {"metrics": {"main": 0.9, "4": 0.8}}, "not older"),
        ("-1", {}, "not older"),
        ("2", {"champion": None}, "no champion"),
        ("3", {"metrics": {"3": 0.9, "4": 0.8}}, "not known to have been champion"),
        ("2", {"metrics": {"2": 0.9}}, "not both measured"),
        ("2", {"metrics": {"4": 0.8}}, "not both measured"),
        ("2", {"metrics": {"2": -0.052, "4": 0.8}}, "not better by more than"),
        ("2", {"metrics": {"2": 0.804, "4": 0.8}}, "not better by more than"),
    ],
)
def test_any_other_version_is_not(target: str | None, changes: dict[str, Any], reason: str) -> None:
    assert reason in explain_unfit_target(target, **{**FIT, **changes})


def test_the_registry_says_which_versions_were_champion() -> None:
    registry = a_registry(
        a_version("6", PROMOTED),
        a_version("5", REFUSED),
        a_version("4", PROMOTED),
        a_version("3", REFUSED),
        a_version("2", PROMOTED),
        a_version("1", FIRST),
    )
    metrics = [VersionMetric(version=name, metric="r2", value=0.9, rows=600) for name in "123456"]
    metrics[3] = metrics[3].model_copy(update={"value": 0.8})

    pack = compose_evidence(a_finding(), registry, metrics, (), now=NOW)

    assert pack.former_champions == ("2", "1")
    assert set(list_fit_targets(pack, margin=0.005)) == {"1", "2"}
    assert list_fit_targets(pack, margin=0.1) == ()


def test_a_promotion_that_was_only_intended_is_none() -> None:
    intended = {"role": "challenger", "promoted_by.abc": "intended"}
    registry = a_registry(a_version("4", PROMOTED), a_version("3", intended))

    assert compose_evidence(a_finding(), registry, (), (), now=NOW).former_champions == ()


def test_a_version_that_learnt_from_the_newest_rows_is_not_judged_on_them() -> None:
    registry = a_registry(a_version("4", PROMOTED), a_version("3", PROMOTED, trained=True))

    assert compose_evidence(a_finding(), registry, (), (), now=NOW).former_champions == ()


def test_former_champions_are_measured_before_challengers_that_never_served() -> None:
    registry = a_registry(
        a_version("6", REFUSED),
        a_version("5", REFUSED),
        a_version("4", PROMOTED),
        a_version("3", REFUSED),
        a_version("1", FIRST),
    )

    assert select_versions_to_measure(registry, before=NOW - WEEK) == ("4", "1", "6")
    assert select_versions_to_measure(registry, before=NOW - timedelta(days=99)) == ("4", "6", "5")

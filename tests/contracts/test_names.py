"""Names that outlive a release stand once, and every document and script agrees with them."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import trimtab
from tests.architecture.sources import ROOT, tracked_files
from trimtab.contracts import names, tags
from trimtab.contracts.drift import EVENT_TYPE
from trimtab.runtime.settings_sections import RedisSettings

DOCUMENTED = {".md", ".sh", ".yml", ".yaml", ".example"}
KEPT = (ROOT / "docs" / "architecture.md").read_text().partition("## Names that histories keep")[2]
KEPT = KEPT.partition("\n## ")[0]


def texts() -> Iterator[tuple[Path, str]]:
    """Documents, deployment scripts and configuration, as people read and run them."""
    for path in tracked_files():
        if path.suffix in DOCUMENTED or path.name == "Dockerfile":
            yield path, path.read_text(encoding="utf-8")


def mentioned(pattern: str) -> set[str]:
    return {found for _, text in texts() for found in re.findall(pattern, text)}


def line_about(subject: str) -> set[str]:
    """The names that the document gives on the line about a subject."""
    (line,) = (line for line in KEPT.splitlines() if line.startswith(f"- {subject}"))
    return set(re.findall(r"`([^`]+)`", line))


def test_the_document_lists_every_search_attribute() -> None:
    assert line_about("Search attributes") == set(names.SEARCH_ATTRIBUTES)


def test_the_document_lists_every_workflow_type_and_task_queue() -> None:
    types = {
        names.DRIFT_RESPONSE,
        names.DELIBERATION,
        names.REMEDIATION,
        names.MONITORING,
        names.SWEEP,
        names.RECONCILIATION,
    }

    assert line_about("Workflow types") == types
    assert line_about("Task queues") == set(names.QUEUES)


def test_the_document_shows_every_kind_of_id() -> None:
    schedule = names.build_schedule_id("<model>")

    assert line_about("Workflow ids") == {
        names.build_drift_response_id("<model>", "<event id>"),
        names.build_deliberation_id("<model>", "<event id>"),
        names.build_remediation_id("<model>"),
        f"{schedule}-<time>",
        schedule,
        f"{names.SWEEP_ID}-<time>",
        names.SWEEP_ID,
        f"{names.RECONCILIATION_ID}-<time>",
        names.RECONCILIATION_ID,
    }


def test_the_document_names_the_stream_and_the_type_of_its_events() -> None:
    redis = RedisSettings()

    assert line_about("Stream") == {redis.stream, redis.group, redis.dead_letters}
    assert EVENT_TYPE in line_about("Event type")


def test_no_document_or_script_names_a_search_attribute_that_does_not_exist() -> None:
    assert mentioned(r"\bTrimtab[A-Z][A-Za-z]+\b") <= set(names.SEARCH_ATTRIBUTES)


def test_no_document_or_script_names_a_task_queue_that_does_not_exist() -> None:
    assert mentioned(r"--queues ([\w-]+)") <= set(names.QUEUES)


def test_no_document_names_a_tag_that_does_not_exist() -> None:
    known = {value for name, value in vars(tags).items() if name.isupper()}
    dotted = mentioned(r"`(trimtab\.[a-z_.]+)`")
    modules = {
        name
        for name in dotted - known
        if is_module(name) or hasattr(trimtab, name.partition(".")[2])
    }
    files = {name for name in dotted if name.endswith((".yml", ".svg"))}

    assert dotted - modules - files <= known


def is_module(name: str) -> bool:
    package, _, module = name.rpartition(".")
    try:
        return bool(importlib.util.find_spec(package) and importlib.util.find_spec(name))
    except ModuleNotFoundError:
        return module == ""


def test_no_two_tags_share_a_name() -> None:
    values = [value for name, value in vars(tags).items() if name.isupper()]

    assert len(values) == len(set(values))
    assert all(value.startswith("trimtab.") for value in values)


@pytest.mark.parametrize(
    ("one", "other"), [(("team/parking", "1"), ("team", "parking/1")), (("a", "1"), ("a", "2"))]
)
def test_no_two_events_share_a_workflow_id(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert names.build_drift_response_id(*one) != names.build_drift_response_id(*other)

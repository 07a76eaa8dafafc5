"""The registry over a real MLflow moves the champion once, and only from where it should be."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import OperationalError

from policies.decision import decide
from tests.builders import NOW, a_plan, a_question
from trimtab.adapters.registry import incident_runs
from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.adapters.registry.tracking import open_tracking
from trimtab.contracts.audit import RecordedTip
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Confidence
from trimtab.contracts.incident import Ending, IncidentReport
from trimtab.contracts.ports import ModelRegistry, Refused, Unavailable
from trimtab.contracts.remediation import Outcome, Verification
from trimtab.contracts.tags import (
    EFFECT_KEY_TAG,
    TRAINED_END_TAG,
    TRAINED_ROWS_TAG,
    TRAINED_START_TAG,
    build_promotion_tag,
)
from trimtab.runtime.settings import Settings

KEY = "a" * 64
OTHER = "b" * 64


class World:
    """A model registry, and the hands of somebody else in it."""

    def __init__(self, settings: Settings) -> None:
        self.registry: ModelRegistry = MlflowRegistry(settings=settings)
        self.client: MlflowClient = open_tracking(settings)

    def make(
        self, count: int = 1, *, model: str = "parking", tags: dict[str, str] | None = None
    ) -> str:
        if not self.client.search_registered_models(f"name = '{model}'"):
            self.client.create_registered_model(model)
        for _ in range(count):
            run = self.client.create_run("0")
            self.client.log_metric(run.info.run_id, "r2", 0.9)
            version = self.client.create_model_version(
                model, "runs:/x", run_id=run.info.run_id, tags=tags
            )
        return str(version.version)

    def point(self, version: str) -> None:
        self.client.set_registered_model_alias("parking", "champion", version)

    def runs(self) -> list[Run]:
        experiment = self.client.get_experiment_by_name("trimtab/incidents")
        assert experiment is not None
        return list(self.client.search_runs([experiment.experiment_id]))

    @property
    def champion(self) -> str | None:
        found = self.registry.champion("parking")
        return found.version if found else None


@pytest.fixture
def world(mlflow_settings: Settings) -> World:
    world = World(mlflow_settings)
    world.make(3)
    world.point("1")
    return world


def a_report(event_id: str = "event-1", **changes: Any) -> IncidentReport:
    plan = a_plan()
    fields: dict[str, Any] = {
        "event_id": event_id,
        "model": "parking",
        "correlation_id": f"c-{event_id}",
        "evidence": None,
        "deliberation": None,
        "confidence": Confidence(value=0.87, parts=(), self_reported=0.9),
        "decision": decide(a_question(plan)),
        "outcome": Outcome(
            verification=Verification(
                metric="r2", before=0.78, after=0.9, rows=500, verified=True, detail=""
            ),
            audit_sequence=9,
            audit_tip=KEY,
        ),
        "ending": Ending.REMEDIATED,
        "published_at": NOW,
        "decided_at": NOW,
        "closed_at": NOW + timedelta(minutes=2),
        "audit_entries": 10,
        "audit_tip": KEY,
    }
    return IncidentReport(**{**fields, **changes})


def test_a_model_that_is_not_there_has_no_champion_and_no_versions(world: World) -> None:
    assert world.registry.champion("nothing") is None
    assert world.registry.versions("nothing") == ()
    assert world.registry.find_version("nothing", key=KEY) is None


def test_a_model_without_the_alias_has_no_champion(world: World) -> None:
    world.make(model="fresh")

    assert world.registry.champion("fresh") is None


def test_versions_come_newest_first_and_tell_which_is_champion(world: World) -> None:
    versions = world.registry.versions("parking", limit=2)

    assert [version.version for version in versions] == ["3", "2"]
    assert [version.champion for version in world.registry.versions("parking")] == [
        False,
        False,
        True,
    ]
    assert versions[0].metrics == {"r2": 0.9}


def test_a_version_names_the_window_it_was_trained_on(world: World) -> None:
    tags = {
        TRAINED_START_TAG: "2016-10-04T00:00:00+00:00",
        TRAINED_END_TAG: "2016-11-01T00:00:00+00:00",
        TRAINED_ROWS_TAG: "12000",
    }
    version = world.make(tags=tags)

    window = world.registry.versions("parking", limit=1)[0].trained_on

    assert version == "4"
    assert window is not None
    assert (window.start, window.rows) == (datetime(2016, 10, 4, tzinfo=UTC), 12000)


def test_nonsense_in_the_tags_of_a_version_is_no_window(world: World) -> None:
    world.make(
        tags={TRAINED_START_TAG: "yesterday", TRAINED_END_TAG: "today", TRAINED_ROWS_TAG: "many"}
    )

    assert world.registry.versions("parking", limit=1)[0].trained_on is None


def test_a_version_is_found_by_the_key_of_the_effect_that_made_it(world: World) -> None:
    made = world.make(tags={EFFECT_KEY_TAG: KEY})
    world.make(tags={EFFECT_KEY_TAG: OTHER})

    found = world.registry.find_version("parking", key=KEY)

    assert found is not None
    assert found.version == made
    assert world.registry.find_version("parking", key="c" * 64) is None


def test_a_quote_cannot_widen_a_search(world: World) -> None:
    with pytest.raises(Refused, match="quote"):
        world.registry.find_version("parking", key="x' OR name != '")


def test_the_champion_is_moved_from_where_it_was_expected(world: World) -> None:
    moved = world.registry.set_champion("parking", "2", expected="1", key=KEY)

    assert moved
    assert world.champion == "2"
    found = world.registry.champion("parking")
    assert found is not None
    assert build_promotion_tag(KEY) in found.tags


def test_the_first_champion_is_set_where_there_was_none(world: World) -> None:
    world.make(model="fresh")

    assert world.registry.set_champion("fresh", "1", expected=None, key=KEY)


def test_the_same_effect_again_changes_nothing(world: World) -> None:
    world.registry.set_champion("parking", "2", expected="1", key=KEY)

    assert not world.registry.set_champion("parking", "2", expected="1", key=KEY)
    assert world.champion == "2"


def test_a_champion_may_be_marked_without_a_move(world: World) -> None:
    marked = world.registry.set_champion("parking", "1", expected="1", key=KEY)

    found = world.registry.champion("parking")
    assert marked
    assert found is not None
    assert (found.version, found.tags[build_promotion_tag(KEY)]) == ("1", "done")
    assert not world.registry.set_champion("parking", "1", expected="1", key=KEY)


def test_a_champion_that_is_not_the_expected_one_stays(world: World) -> None:
    world.point("3")

    with pytest.raises(Refused, match="version 3, not 1"):
        world.registry.set_champion("parking", "2", expected="1", key=KEY)

    assert world.champion == "3"


def test_a_move_by_another_to_the_same_version_is_not_taken_for_ours(world: World) -> None:
    world.point("2")

    with pytest.raises(Refused, match="somebody moved it"):
        world.registry.set_champion("parking", "2", expected="1", key=KEY)


def test_an_alias_that_a_person_moved_back_is_not_moved_again_by_a_late_retry(world: World) -> None:
    world.registry.set_champion("parking", "2", expected="1", key=KEY)
    world.point("1")

    with pytest.raises(Refused, match="somebody moved it"):
        world.registry.set_champion("parking", "2", expected="1", key=KEY)

    assert world.champion == "1"


@pytest.mark.parametrize(
    ("method", "value", "moves"),
    [("set_registered_model_alias", "2", True), ("set_model_version_tag", "done", False)],
)
def test_a_crash_in_the_middle_is_carried_on_by_the_retry(
    world: World, monkeypatch: pytest.MonkeyPatch, method: str, value: str, *, moves: bool
) -> None:
    _dies(monkeypatch, method, value)

    with pytest.raises(KeyboardInterrupt):
        world.registry.set_champion("parking", "2", expected="1", key=KEY)
    moved = world.registry.set_champion("parking", "2", expected="1", key=KEY)

    assert moved is moves
    assert world.champion == "2"
    assert not world.registry.set_champion("parking", "2", expected="1", key=KEY)


def test_a_move_by_another_after_a_crash_in_the_middle_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _dies(monkeypatch, "set_registered_model_alias", "2")
    with pytest.raises(KeyboardInterrupt):
        world.registry.set_champion("parking", "2", expected="1", key=KEY)
    world.point("3")

    with pytest.raises(Refused, match="somebody moved it"):
        world.registry.set_champion("parking", "2", expected="1", key=KEY)

    assert world.champion == "3"


def test_a_move_by_another_between_write_and_read_back_is_noticed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = MlflowClient.set_registered_model_alias

    def race(client: MlflowClient, name: str, alias: str, version: str) -> None:
        move(client, name, alias, version)
        move(client, name, alias, "3")

    monkeypatch.setattr(MlflowClient, "set_registered_model_alias", race)

    with pytest.raises(Refused, match="at the same time"):
        world.registry.set_champion("parking", "2", expected="1", key=KEY)


def test_a_version_that_is_not_there_cannot_be_champion(world: World) -> None:
    with pytest.raises(Refused):
        world.registry.set_champion("parking", "99", expected="1", key=KEY)


def _dies(monkeypatch: pytest.MonkeyPatch, method: str, value: str) -> None:
    """The process dies once, just before it calls the method with that last argument."""
    real = getattr(MlflowClient, method)

    def dying(client: MlflowClient, *args: str) -> None:
        if args[-1] == value:
            monkeypatch.setattr(MlflowClient, method, real)
            raise KeyboardInterrupt
        real(client, *args)

    monkeypatch.setattr(MlflowClient, method, dying)


def test_an_incident_is_one_run_with_everything_an_auditor_looks_for(world: World) -> None:
    world.registry.record_incident(a_report())
    world.registry.record_incident(a_report())

    (run,) = world.runs()
    tags = {name: value for name, value in run.data.tags.items() if name.startswith("trimtab.")}
    assert run.info.run_name == "event-1"
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"confidence": 0.87, "before": 0.78, "after": 0.9}
    assert tags == {
        "trimtab.event_id": "event-1",
        "trimtab.correlation_id": "c-event-1",
        "trimtab.model": "parking",
        "trimtab.verdict": "execute",
        "trimtab.rule": "all_rules",
        "trimtab.ending": "remediated",
        "trimtab.audit_tip": KEY,
        "trimtab.audit_entries": "10",
        "trimtab.plan_hash": compute_digest(a_plan()),
    }


def test_an_incident_is_recorded_for_its_own_model_and_event_only(world: World) -> None:
    assert not world.registry.is_recorded("parking", "event-1")

    world.registry.record_incident(a_report())

    assert world.registry.is_recorded("parking", "event-1")
    assert not world.registry.is_recorded("parking", "event-2")
    assert not world.registry.is_recorded("footfall", "event-1")


def test_an_incident_is_found_after_the_experiment_was_made_anew(
    world: World, mlflow_settings: Settings
) -> None:
    """Otherwise a worker that knew the former one would take an ended incident for an open one."""
    world.registry.record_incident(a_report())
    former = world.client.get_experiment_by_name("trimtab/incidents")
    assert former is not None
    world.client.rename_experiment(former.experiment_id, "put away")

    MlflowRegistry(settings=mlflow_settings).record_incident(a_report("event-2"))

    assert world.registry.is_recorded("parking", "event-2")


def test_of_two_runs_that_two_attempts_made_at_once_one_stays(world: World) -> None:
    """A worker was given up while it recorded the incident, and another one took its place."""
    registry = world.registry
    assert isinstance(registry, MlflowRegistry)
    registry.record_incident(a_report())
    registry._runs._create(a_report())
    assert len(registry.list_recorded_tips()) == 2

    registry.record_incident(a_report())

    assert [each.incident for each in registry.list_recorded_tips()] == ["event-1"]


def test_a_bare_incident_is_recorded_too(world: World) -> None:
    bare = a_report(confidence=None, decision=None, outcome=None, ending=Ending.EXPIRED)

    world.registry.record_incident(bare)

    assert world.registry.audit_tips() == {"event-1": KEY}


def test_an_incident_closed_before_is_not_overwritten(world: World) -> None:
    world.registry.record_incident(a_report())

    with pytest.raises(Refused, match="closed before"):
        world.registry.record_incident(a_report(audit_tip=OTHER))

    assert world.registry.audit_tips() == {"event-1": KEY}


def test_tips_are_listed_by_model_over_any_number_of_pages(
    world: World, mlflow_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_runs, "_PAGE_SIZE", 2)
    for number in range(5):
        world.registry.record_incident(a_report(f"event-{number}", audit_tip=f"{number:064}"))
    world.registry.record_incident(a_report("event-0", model="other", audit_tip=OTHER))

    assert world.registry.audit_tips("parking") == {
        f"event-{number}": f"{number:064}" for number in range(5)
    }
    assert world.registry.audit_tips("other") == {"event-0": OTHER}
    assert len(MlflowRegistry(settings=mlflow_settings).list_recorded_tips()) == 6


def test_a_deleted_run_still_tells_its_tip(world: World, mlflow_settings: Settings) -> None:
    world.registry.record_incident(a_report())
    (run,) = world.runs()
    world.client.delete_run(run.info.run_id)

    tips = MlflowRegistry(settings=mlflow_settings).list_recorded_tips()

    assert tips == (RecordedTip(incident="event-1", model="parking", tip=KEY, entries=10),)


def test_tags_that_somebody_edited_are_not_believed(world: World) -> None:
    world.registry.record_incident(a_report())
    (run,) = world.runs()
    world.client.set_tag(run.info.run_id, "trimtab.audit_tip", "edited")

    with pytest.raises(Refused, match=run.info.run_id):
        world.registry.audit_tips()


def test_the_last_action_is_the_latest_of_the_model_s_incidents(world: World) -> None:
    assert world.registry.last_action_at("parking") is None
    later = NOW + timedelta(days=1, microseconds=1)
    for event, acted_at in {"a": NOW, "b": later, "c": NOW - timedelta(days=3), "d": None}.items():
        world.registry.record_incident(a_report(event, acted_at=acted_at))
    world.registry.record_incident(a_report("e", model="other", acted_at=later + timedelta(1)))

    assert world.registry.last_action_at("parking") == later


def test_a_registry_that_cannot_be_reached_may_be_tried_again(
    mlflow_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    nowhere = mlflow_settings.model_copy(update={"mlflow_tracking_uri": "http://127.0.0.1:9"})

    with pytest.raises(Unavailable):
        MlflowRegistry(settings=nowhere).champion("parking")


def test_a_busy_database_may_be_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = OperationalError("UPDATE", {}, sqlite3.OperationalError("database is locked"))
    busy = MlflowException(str(locked), error_code=TEMPORARILY_UNAVAILABLE)
    monkeypatch.setattr(MlflowClient, "get_registered_model", _raising(busy))

    with pytest.raises(Unavailable, match="database is locked"):
        world.registry.champion("parking")


def _raising(error: Exception) -> Callable[..., None]:
    def call(*_: object) -> None:
        raise error

    return call

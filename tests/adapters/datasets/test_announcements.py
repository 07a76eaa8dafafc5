from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOW
from trimtab.adapters.datasets.announcements import AnnouncementLog, AnnouncementsDataset
from trimtab.adapters.datasets.window_profile import WindowProfileDataset
from trimtab.adapters.registry.tracking import open_tracking
from trimtab.contracts.drift import Severity
from trimtab.contracts.monitoring import Announcement
from trimtab.runtime.settings import Settings

DAY = timedelta(days=1)


def announcement(hour: int = 0, **changes: Any) -> Announcement:
    fields: dict[str, Any] = {
        "event_id": f"event-{hour}",
        "subject": "a-model",
        "moves": ("price up", "shop to nörd"),
        "severity": Severity.MEDIUM,
        "as_of": NOW + hour * timedelta(hours=1),
    }
    return Announcement(**{**fields, **changes})


@pytest.fixture
def a_run(mlflow_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Keeps a window, and says where."""
    monkeypatch.setenv("TRIMTAB_HOME", str(mlflow_settings.home))

    def keep() -> str:
        profile = WindowProfileDataset(model="parking")
        profile.save({"profile": {}, "metrics": {}, "tags": {"trimtab.drift": "announced"}})
        return profile.load()

    return keep


def save(uri: str, announced: Announcement | None, why: str = "") -> None:
    dataset = AnnouncementsDataset(model="parking")
    dataset.save({"uri": uri, "announcement": announced, "why": why})


def test_announcements_are_found_by_the_datas_own_time(
    a_run: Any, mlflow_settings: Settings
) -> None:
    for hour in (0, 5, 24):
        save(a_run(), announcement(hour))
    save(a_run(), announcement(5, subject="another champion"))

    log = AnnouncementLog("parking", settings=mlflow_settings)

    def found(hour: int) -> list[str]:
        until = NOW + hour * timedelta(hours=1)
        return sorted(
            each.event_id for each in log.find_recent(DAY, until=until, subject="a-model")
        )

    assert found(-1) == []
    assert found(5) == ["event-0", "event-5"]
    assert found(24) == ["event-24", "event-5"]


def test_an_announcement_comes_back_as_it_was(a_run: Any, mlflow_settings: Settings) -> None:
    save(a_run(), announcement())

    log = AnnouncementLog("parking", settings=mlflow_settings)

    assert log.find_recent(DAY, until=NOW, subject="a-model") == [announcement()]


def test_findings_that_are_not_announced_are_recorded_with_the_reason(
    a_run: Any, mlflow_settings: Settings
) -> None:
    uri = a_run()
    save(uri, None, why="announced before")

    run = open_tracking(mlflow_settings).get_run(uri.split("/")[1])

    assert run.data.tags["trimtab.drift"] == "recorded"
    assert run.data.tags["trimtab.why"] == "announced before"
    log = AnnouncementLog("parking", settings=mlflow_settings)
    assert log.find_recent(DAY, until=NOW, subject="a-model") == []


def test_without_any_run_nothing_was_announced(mlflow_settings: Settings) -> None:
    log = AnnouncementLog("parking", settings=mlflow_settings)

    assert log.find_recent(DAY, until=NOW, subject="a-model") == []


def test_a_note_on_an_open_fault_comes_back_as_one(a_run: Any, mlflow_settings: Settings) -> None:
    note = announcement(2, faults=("price up",), note=True, event_id="event-0")
    uri = a_run()

    AnnouncementsDataset(model="parking").save(
        {"uri": uri, "announcement": None, "why": "still open", "note": note}
    )

    log = AnnouncementLog("parking", settings=mlflow_settings)
    until = NOW + timedelta(hours=2)
    assert log.find_recent(DAY, until=until, subject="a-model") == [note]
    kept = open_tracking(mlflow_settings).get_run(uri.split("/")[1]).data.tags
    assert kept["trimtab.drift"] == "recorded"
    assert "trimtab.event_id" not in kept

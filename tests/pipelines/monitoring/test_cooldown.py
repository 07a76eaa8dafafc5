import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.deployment import PARKING, Run
from trimtab.adapters.registry.tracking import open_tracking
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.monitoring import SuppressionReason
from trimtab.contracts.ports import Unavailable
from trimtab.runtime.paths import SHIPPED
from trimtab.runtime.settings import load_settings

Stream = Callable[[], list[bytes]]

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
CHRISTMAS = datetime.fromisoformat("2016-12-12T22:00:00+00:00")
"""End of a window in which the champion does far worse than it did."""


@pytest.fixture
def parking(
    trained_database: Path, parking: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """The car parks, with an MLflow in which no other test has announced anything."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(trained_database, home / "mlflow.db")
    monkeypatch.setenv("TRIMTAB_HOME", str(home))
    return parking


def window(hours: int = 0) -> dict[str, Any]:
    end = CHRISTMAS + hours * HOUR
    return {"start": (end - WEEK).isoformat(), "end": end.isoformat()}


def read_tags(tag: str) -> list[str | None]:
    """Return a tag of the windows' runs in MLflow, oldest first."""
    client = open_tracking(load_settings())
    experiment = client.get_experiment_by_name(f"trimtab/{PARKING}/monitoring")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
    return [run.data.tags.get(tag) for run in runs]


def test_the_same_drift_is_only_recorded_an_hour_later_and_announced_after_the_cooldown(
    parking: Run, stream: Stream
) -> None:
    first, second, later = (parking("monitoring", **window(hours)) for hours in (0, 1, 168))

    ids = [DriftEvent.model_validate_json(each).id for each in stream()]
    assert ids == [first["event"]["id"], later["event"]["id"]]
    assert second["event"] is None
    assert second["finding"]["fingerprint"] == first["finding"]["fingerprint"]
    assert first["event"]["id"] in second["why"]
    assert second["suppression"]["reason"] == SuppressionReason.ALREADY_ANNOUNCED
    assert second["suppression"]["event_id"] == first["event"]["id"]
    assert "not published" in second["note"]
    assert read_tags("trimtab.why")[-2] == second["why"]
    assert read_tags("trimtab.drift")[-3:] == ["announced", "recorded", "announced"]
    wanted = [first["event"]["id"], None, later["event"]["id"]]
    assert read_tags("trimtab.event_id")[-3:] == wanted


def test_late_labels_are_used_when_the_window_is_judged_again(
    parking: Run, stream: Stream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = (SHIPPED / "conf" / "base" / "models" / f"{PARKING}.yml").read_text()
    models = tmp_path / "conf" / "local" / "models"
    models.mkdir(parents=True)
    late = spec.replace("label_delay: PT0S", "label_delay: P14D")
    (models / f"{PARKING}.yml").write_text(late)
    monkeypatch.chdir(tmp_path)

    first = parking("monitoring", **window())
    second = parking("monitoring", **window(), as_of=(CHRISTMAS + 2 * WEEK).isoformat())

    assert first["metric"] is None
    assert second["metric"]["rows"] > 3000
    assert second["event"]["data"]["performance"]["degraded"]


def test_later_announcements_do_not_suppress_an_earlier_window(
    parking: Run, stream: Stream
) -> None:
    assert parking("monitoring", **window(1))["event"]

    assert parking("monitoring", **window(0))["event"]


def test_a_run_without_publishing_suppresses_no_later_event(parking: Run, stream: Stream) -> None:
    unpublished = parking("monitoring", **window(0), publish=False)

    assert (unpublished["event"], stream()) == (None, [])
    assert unpublished["finding"]
    assert unpublished["suppression"]["reason"] == SuppressionReason.PUBLISHING_OFF
    assert parking("monitoring", **window(1))["event"]


def test_an_event_that_could_not_be_published_suppresses_no_later_one(
    parking: Run, stream: Stream, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_REDIS__URL", "redis://127.0.0.1:1")
    with pytest.raises(Unavailable):
        parking("monitoring", **window(0))
    monkeypatch.setenv("TRIMTAB_REDIS__URL", valkey_url)

    assert parking("monitoring", **window(1))["event"]


def test_the_second_judgement_of_a_window_has_an_event_of_its_own(
    parking: Run, stream: Stream
) -> None:
    later = (CHRISTMAS + 4 * WEEK).isoformat()

    first = parking("monitoring", **window())
    second = parking("monitoring", **window(), as_of=later)

    assert first["event"]["id"] != second["event"]["id"]

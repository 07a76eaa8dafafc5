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
    trained_home: Path, parking: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """The car parks, with an MLflow in which no other test has announced anything."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(trained_home / "mlflow.db", home / "mlflow.db")
    monkeypatch.setenv("TRIMTAB_HOME", str(home))
    return parking


def window(hours: int = 0) -> dict[str, Any]:
    end = CHRISTMAS + hours * HOUR
    return {"start": (end - WEEK).isoformat(), "end": end.isoformat()}


def kept(tag: str) -> list[str | None]:
    """What the window's runs in MLflow say, oldest first."""
    client = open_tracking(load_settings())
    experiment = client.get_experiment_by_name(f"trimtab/{PARKING}/monitoring")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
    return [run.data.tags.get(tag) for run in runs]


def test_the_same_drift_an_hour_later_is_recorded_and_a_cooldown_later_announced(
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
    assert kept("trimtab.why")[-2] == second["why"]
    assert kept("trimtab.drift")[-3:] == ["announced", "recorded", "announced"]
    wanted = [first["event"]["id"], None, later["event"]["id"]]
    assert kept("trimtab.event_id")[-3:] == wanted


def test_labels_that_come_late_are_looked_at_when_they_are_there(
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


def test_an_earlier_window_that_is_replayed_knows_nothing_of_later_ones(
    parking: Run, stream: Stream
) -> None:
    assert parking("monitoring", **window(1))["event"]

    assert parking("monitoring", **window(0))["event"]


def test_whoever_only_looks_publishes_nothing_and_keeps_nothing_quiet(
    parking: Run, stream: Stream
) -> None:
    looked = parking("monitoring", **window(0), publish=False)

    assert (looked["event"], stream()) == (None, [])
    assert looked["finding"]
    assert looked["suppression"]["reason"] == SuppressionReason.PUBLISHING_OFF
    assert parking("monitoring", **window(1))["event"]


def test_what_could_not_be_published_does_not_count_as_announced(
    parking: Run, stream: Stream, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_REDIS__URL", "redis://127.0.0.1:1")
    with pytest.raises(Unavailable):
        parking("monitoring", **window(0))
    monkeypatch.setenv("TRIMTAB_REDIS__URL", valkey_url)

    assert parking("monitoring", **window(1))["event"]


def test_the_second_look_at_a_window_has_an_event_of_its_own(parking: Run, stream: Stream) -> None:
    later = (CHRISTMAS + 4 * WEEK).isoformat()

    first = parking("monitoring", **window())
    second = parking("monitoring", **window(), as_of=later)

    assert first["event"]["id"] != second["event"]["id"]

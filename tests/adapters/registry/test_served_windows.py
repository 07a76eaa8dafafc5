"""Which version served each window is read from the windows' own runs."""

from datetime import timedelta

import pytest

from tests.builders import NOW
from trimtab.adapters.datasets.window_profile import WindowProfileDataset
from trimtab.adapters.registry.served_windows import list_served_windows
from trimtab.adapters.registry.tracking import open_tracking
from trimtab.contracts.fitted import ServedWindow
from trimtab.contracts.tags import CHAMPION_TAG, WINDOW_START_TAG
from trimtab.runtime.settings import Settings


def test_the_newest_windows_come_first_with_their_versions(
    mlflow_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_HOME", str(mlflow_settings.home))
    starts = [NOW + week * timedelta(days=7) for week in range(3)]
    client = open_tracking(mlflow_settings)
    assert list_served_windows(client, "parking") == []

    for version, start in zip(("1", "2", "1"), (starts[0], starts[2], starts[1]), strict=True):
        tags = {CHAMPION_TAG: version, WINDOW_START_TAG: start.isoformat()}
        WindowProfileDataset(model="parking").save({"profile": {}, "metrics": {}, "tags": tags})
    unreadable = {CHAMPION_TAG: "1", WINDOW_START_TAG: "yesterday"}
    WindowProfileDataset(model="parking").save({"profile": {}, "metrics": {}, "tags": unreadable})

    assert list_served_windows(client, "parking") == [
        ServedWindow("2", starts[2]), ServedWindow("1", starts[1]), ServedWindow("1", starts[0]),
    ]  # fmt: skip

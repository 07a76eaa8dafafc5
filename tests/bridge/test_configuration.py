from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.bridge.local import watch
from trimtab.bridge.configuration import ConfigurationCache
from trimtab.runtime.errors import BadConfigurationError


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def configuration(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ConfigurationCache:
    monkeypatch.chdir(tmp_path)
    watch("parking", owner="first@example.org")
    return ConfigurationCache(clock=clock)


def test_an_edit_is_in_force_two_seconds_later(
    configuration: ConfigurationCache, clock: Clock
) -> None:
    assert configuration.get_spec("parking").owner == "first@example.org"

    watch("parking", owner="second@example.org")
    clock.now += 3

    assert configuration.get_spec("parking").owner == "second@example.org"


def test_a_broken_edit_alarms_once_and_leaves_the_last_good_one_in_force(
    configuration: ConfigurationCache, clock: Clock
) -> None:
    good = configuration.get_spec("parking")
    Path("conf/local/models/parking.yml").write_text("name: [parking")

    with capture_logs() as logs:
        for _ in range(3):
            clock.now += 3
            assert configuration.get_spec("parking") == good

    assert [line["event"] for line in logs] == ["configuration_broken"]


def test_a_broken_policy_leaves_the_last_good_one_in_force(
    configuration: ConfigurationCache, clock: Clock
) -> None:
    good = configuration.get_limits()
    Path("conf/local/policy.yml").write_text("cost_at_most: many")
    clock.now += 3

    with capture_logs() as logs:
        assert configuration.get_limits() == good

    assert "cost_at_most" in str(logs[0]["faults"])


def test_an_unknown_model_is_a_fault_with_its_remedy(configuration: ConfigurationCache) -> None:
    with pytest.raises(BadConfigurationError, match=r"did you mean parking\?"):
        configuration.get_spec("parkings")


def test_a_model_whose_file_is_removed_is_no_longer_watched(
    configuration: ConfigurationCache, clock: Clock
) -> None:
    configuration.get_spec("parking")
    Path("conf/local/models/parking.yml").unlink()
    clock.now += 3

    with pytest.raises(BadConfigurationError, match="not configured"):
        configuration.get_spec("parking")

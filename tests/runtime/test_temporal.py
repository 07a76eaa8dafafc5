import os
from pathlib import Path

import pytest
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.google_adk import GoogleAdkPlugin

from tests.builders import an_event
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.names import SEARCH_ATTRIBUTES
from trimtab.runtime.embedded.servers import TemporalServer
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.settings import load_settings
from trimtab.runtime.stack_addresses import StackAddresses, get_creation_time, write_addresses
from trimtab.runtime.temporal import (
    connect_temporal,
    ensure_search_attributes,
    find_missing_search_attributes,
    load_connect_config,
)
from workflows import options

PROFILES = """
[profile.default]
address = "default.example.org:7233"
namespace = "from-profile"
[profile.cloud]
address = "cloud.example.org:7233"
namespace = "cloud-space"
api_key = "secret"
"""


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No profile of the person who runs the tests."""
    profiles = tmp_path / "temporal.toml"
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(profiles))
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return profiles


def running_here(home: Path) -> None:
    """Pretend that this process holds a stack."""
    process = os.getpid()
    write_addresses(
        StackAddresses(
            temporal="127.0.0.1:17233", ui=None, redis="redis://127.0.0.1:1", tracking="sqlite://",
            home=home, pid=process, born=get_creation_time(process) or 0.0,
        )
    )  # fmt: skip


def test_the_settings_come_first(bare_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_environment.write_text(PROFILES)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "environment.example.org:7233")

    config = load_connect_config(load_settings(temporal={"address": "mine:7233"}))

    assert config == {"target_host": "mine:7233"}


def test_temporals_own_environment_comes_next(
    bare_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare_environment.write_text(PROFILES)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "environment.example.org:7233")

    config = load_connect_config(load_settings(temporal={"namespace": "mine"}))

    assert config["target_host"] == "environment.example.org:7233"
    assert config["namespace"] == "mine"


def test_temporals_credentials_go_with_temporals_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "environment.example.org:7233")
    monkeypatch.setenv("TEMPORAL_API_KEY", "secret")

    same = load_connect_config(load_settings(temporal={"address": "environment.example.org:7233"}))
    other = load_connect_config(load_settings(temporal={"address": "127.0.0.1:7233"}))

    assert same["api_key"] == "secret"
    assert "api_key" not in other


def test_a_profile_brings_credentials_and_can_be_overridden(bare_environment: Path) -> None:
    bare_environment.write_text(PROFILES)

    named = load_connect_config(load_settings(temporal={"profile": "cloud"}))
    moved = load_connect_config(
        load_settings(temporal={"profile": "cloud", "address": "proxy:7233"})
    )

    assert named["target_host"] == "cloud.example.org:7233"
    assert (named["namespace"], named["api_key"], named["tls"]) == ("cloud-space", "secret", True)
    assert (moved["target_host"], moved["api_key"]) == ("proxy:7233", "secret")


def test_the_running_embedded_stack_comes_last(tmp_path: Path, bare_environment: Path) -> None:
    running_here(tmp_path)
    assert load_connect_config(load_settings(home=tmp_path))["target_host"] == "127.0.0.1:17233"

    bare_environment.write_text(PROFILES)
    config = load_connect_config(load_settings(home=tmp_path))
    assert config["target_host"] == "default.example.org:7233"


def test_without_any_address_the_remedies_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfigurationError) as caught:
        load_connect_config(load_settings(home=tmp_path))

    for remedy in ("TRIMTAB_TEMPORAL__ADDRESS", "TEMPORAL_ADDRESS", "trimtab up`"):
        assert remedy in caught.value.faults[0]


def test_a_profile_that_does_not_exist_is_a_fault(bare_environment: Path) -> None:
    bare_environment.write_text(PROFILES)

    with pytest.raises(BadConfigurationError, match="clod"):
        load_connect_config(load_settings(temporal={"profile": "clod"}))


def test_the_search_attributes_are_those_that_workflows_set() -> None:
    keys = [value for value in vars(options).values() if isinstance(value, SearchAttributeKey)]
    kinds = {"Keyword": str, "Double": float}

    assert {key.name: key.value_type for key in keys} == {
        name: kinds[kind] for name, kind in SEARCH_ATTRIBUTES.items()
    }


async def test_records_cross_with_and_without_adks_plugin(temporal_address: str) -> None:
    settings = load_settings(temporal={"address": temporal_address})
    for plugins in ([], [GoogleAdkPlugin()]):
        converter = (await connect_temporal(settings, plugins=plugins)).data_converter
        [back] = await converter.decode(await converter.encode([an_event()]), [DriftEvent])
        assert back == an_event()


async def test_a_lazy_client_needs_no_server() -> None:
    await connect_temporal(load_settings(temporal={"address": "127.0.0.1:1"}), lazy=True)

    with pytest.raises(RuntimeError, match="connect"):
        await connect_temporal(load_settings(temporal={"address": "127.0.0.1:1"}))


async def test_missing_search_attributes_are_added(temporal_client: Client) -> None:
    await temporal_client.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace="default", search_attributes=["TrimtabAction"])
    )
    assert await find_missing_search_attributes(temporal_client) == {"TrimtabAction": "Keyword"}

    await ensure_search_attributes(temporal_client)
    await ensure_search_attributes(temporal_client)

    assert await find_missing_search_attributes(temporal_client) == {}


def test_the_command_line_of_the_dev_server_has_every_switch(tmp_path: Path) -> None:
    command = TemporalServer(tmp_path / "temporal.db").build_command([1, 2, 3, 4])

    for switch in (
        "journal_mode=WAL",
        "matching.numTaskqueueReadPartitions=1",
        "TrimtabConfidence=Double",
        str(tmp_path / "temporal.db"),
    ):
        assert switch in command

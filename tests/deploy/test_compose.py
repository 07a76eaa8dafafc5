import importlib.metadata
import importlib.resources
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from tests.architecture.sources import ROOT
from trimtab.runtime.settings import Settings

FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("worker", "starter")
"""What runs our code; `mlflow` and `chroma` run other servers from our image."""
LISTENS_ON_NOTHING = {"worker", "starter", "temporal-schema", "temporal-namespace"}

DOCUMENTED_PORTS = {
    "temporalio/server": {7233},
    "temporalio/ui": {8080},
    "postgres": {5432},
    "redis": {6379},
    "ollama/ollama": {11434},
    "langfuse/langfuse": {3000},
    "langfuse/langfuse-worker": {3030},
    "clickhouse/clickhouse-server": {8123, 9000},
    "cgr.dev/chainguard/minio": {9000},
}
"""What each product listens on unless told otherwise."""


def variables_of_settings() -> set[str]:
    """Every environment variable that `Settings` reads."""
    names: set[str] = set()
    for field, info in Settings.model_fields.items():
        if info.validation_alias is not None:
            aliases = getattr(info.validation_alias, "choices", [info.validation_alias])
            names.update(alias for alias in aliases if alias.isupper())
        elif isinstance(info.default, BaseModel):
            section = type(info.default).model_fields
            names.update(f"TRIMTAB_{field}__{key}".upper() for key in section)
        else:
            assert info.default is not PydanticUndefined
            names.add(f"TRIMTAB_{field}".upper())
    return names


def ports(service: dict[str, Any]) -> set[int]:
    """What the service listens on: from its command, or the product's documented default."""
    told = re.search(r"--port[= ](\d+)", " ".join(service.get("command") or []))
    if told:
        return {int(told[1])}
    return DOCUMENTED_PORTS[service["image"].partition(":")[0]]


def addresses(service: dict[str, Any]) -> set[tuple[str, int]]:
    """Every `service:port` that the service's environment names."""
    values = " ".join(str(value) for value in (service.get("environment") or {}).values())
    named = "|".join(sorted(SERVICES, key=len, reverse=True))
    return {(host, int(port)) for host, port in re.findall(rf"(?<![\w.-])({named}):(\d+)", values)}


@pytest.fixture(scope="module")
def specification() -> Any:
    schema = importlib.resources.files("check_jsonschema") / (
        "builtin_schemas/vendor/compose-spec.json"
    )
    content = json.loads(schema.read_text())
    return jsonschema.validators.validator_for(content)(content)


def test_the_file_is_what_the_compose_specification_allows(specification: Any) -> None:
    assert [error.message for error in specification.iter_errors(COMPOSE)] == []


def test_the_specification_would_notice_a_mistake(specification: Any) -> None:
    wrong = {"services": {"worker": {"image": "trimtab", "helthcheck": {}}}}

    assert [error.message for error in specification.iter_errors(wrong)] != []


def test_every_part_of_the_stack_is_there() -> None:
    parts = {
        "temporal", "temporal-ui", "postgres", "redis", "mlflow", "chroma", "ollama", "worker",
        "starter", "langfuse-web", "langfuse-worker",
    }  # fmt: skip

    assert parts <= set(SERVICES)
    assert SERVICES["worker"]["deploy"]["replicas"] == 2
    assert "yes" in SERVICES["redis"]["command"]


@pytest.mark.parametrize("name", OURS)
def test_every_variable_of_ours_is_a_setting_that_exists(name: str) -> None:
    variables = set(SERVICES[name]["environment"])

    assert variables - variables_of_settings() == set()


@pytest.mark.parametrize("name", OURS)
def test_the_settings_accept_what_the_file_sets(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in variables_of_settings():
        monkeypatch.delenv(variable, raising=False)
    for variable, value in SERVICES[name]["environment"].items():
        if value is not None:
            monkeypatch.setenv(variable, re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value))

    settings = Settings()

    assert settings.temporal.address == "temporal:7233"
    assert settings.tracking_uri == "http://mlflow:5000"


def test_the_mlflow_server_is_told_by_variables_that_mlflow_reads() -> None:
    packages = Path(str(importlib.metadata.distribution("mlflow").locate_file("mlflow")))
    known = (packages / "environment_variables.py").read_text() + (
        packages / "cli" / "__init__.py"
    ).read_text()

    unknown = [name for name in SERVICES["mlflow"]["environment"] if name not in known]

    assert unknown == []


def test_every_command_run_from_our_image_is_a_file_or_a_script_that_the_image_has() -> None:
    scripts = {entry.name for entry in importlib.metadata.entry_points(group="console_scripts")}

    for name, service in SERVICES.items():
        if not service["image"].startswith("trimtab:"):
            continue
        program, *arguments = service["command"]
        if program == "python":
            assert (ROOT / arguments[0]).is_file(), f"{name} runs {arguments[0]}"
        else:
            assert program in scripts, f"{name} runs {program}"


def test_every_file_that_a_service_mounts_or_runs_from_a_mount_is_in_the_repository() -> None:
    for name, service in SERVICES.items():
        mounts = dict(volume.split(":")[:2] for volume in service.get("volumes", []))
        for source in mounts:
            there = (
                (ROOT / source).is_dir() if source.startswith(".") else source in COMPOSE["volumes"]
            )
            assert there, f"{name} mounts {source}"
        environment = service.get("environment") or {}
        named = [
            *(service.get("entrypoint") or []),
            environment.get("DYNAMIC_CONFIG_FILE_PATH", ""),
        ]
        for path in (path for path in named if path.startswith("/deploy/")):
            assert (ROOT / path.replace("/deploy", "deploy/temporal", 1)).is_file(), path


def test_every_address_names_a_service_and_a_port_that_it_listens_on() -> None:
    for name, service in SERVICES.items():
        for host, port in addresses(service):
            assert port in ports(SERVICES[host]), f"{name} looks for {host}:{port}"


def test_every_service_is_reached_at_an_address_of_this_file() -> None:
    unknown = [
        (name, host)
        for name, service in SERVICES.items()
        for value in (service.get("environment") or {}).values()
        for host in re.findall(r"\w+://(?:[^@/]*@)?([\w.-]+):\d+", str(value))
        if host not in {*SERVICES, "127.0.0.1", "localhost"}
    ]

    assert unknown == []


def test_every_published_port_is_one_that_is_listened_on_and_stays_on_this_machine() -> None:
    for name, service in SERVICES.items():
        for published in service.get("ports", []):
            address, _, inside = published.split(":")
            assert address == "127.0.0.1", f"{name} publishes to the world"
            assert int(inside) in ports(service), f"{name} publishes {inside}"


def test_no_two_services_publish_the_same_port() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert len(published) == len(set(published))


def test_everything_that_listens_says_whether_it_is_healthy() -> None:
    silent = {name for name, service in SERVICES.items() if "healthcheck" not in service}

    assert silent == LISTENS_ON_NOTHING


def test_what_is_waited_for_can_happen() -> None:
    for name, service in SERVICES.items():
        for needed, wish in (service.get("depends_on") or {}).items():
            other = SERVICES[needed]
            if wish["condition"] == "service_healthy":
                assert "healthcheck" in other, f"{name} waits for {needed}"
            else:
                assert other["restart"].startswith("on-failure"), f"{name} waits for {needed}"
            assert set(other.get("profiles", [])) <= set(service.get("profiles", [])), name


def test_every_image_is_pinned_to_a_version() -> None:
    floating = [
        service["image"]
        for service in SERVICES.values()
        if ":" not in service["image"] or service["image"].endswith(":latest")
    ]

    # Its publisher gives away the newest image only.
    assert floating == ["cgr.dev/chainguard/minio"]


def test_every_password_comes_from_outside_and_is_named_in_the_example() -> None:
    text = FILE.read_text()
    example = (ROOT / "deploy" / "env.example").read_text()
    taken = set(re.findall(r"\$\{(\w+)", text)) | {
        name for name, value in SERVICES["worker"]["environment"].items() if value is None
    }

    assert taken == set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    secrets = re.findall(
        r"^\s*\w*(?:PASSWORD|SECRET|SALT|ENCRYPTION_KEY|PWD)\w*: (.+)$", text, re.MULTILINE
    )
    assert [value for value in secrets if not value.startswith("${")] == []

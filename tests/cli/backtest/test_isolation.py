"""A backtest keeps away from production, whatever the environment says."""

from pathlib import Path

import pytest

from trimtab.cli.backtest.isolation import PRODUCTION_OVERRIDES, forget_production, isolate_settings
from trimtab.runtime.settings import load_settings
from trimtab.runtime.settings_sections import (
    AuditSettings,
    ChromaSettings,
    GrantSettings,
    RedisSettings,
    TemporalSettings,
)

PRODUCTION = {
    "TRIMTAB_TEMPORAL__ADDRESS": "temporal.example.org:7233",
    "TRIMTAB_TEMPORAL__NAMESPACE": "prod",
    "TRIMTAB_REDIS__URL": "redis://redis.example.org",
    "TRIMTAB_CHROMA__URL": "http://chroma.example.org:8000",
    "TRIMTAB_AUDIT__DIRECTORY": "/var/audit",
    "TRIMTAB_GRANTS__PRIVATE_KEY": "/var/keys/grant.pem",
    "TEMPORAL_ADDRESS": "temporal.example.org:7233",
    "TEMPORAL_NAMESPACE": "prod",
    "MLFLOW_TRACKING_URI": "https://mlflow.example.org",
}


@pytest.fixture(autouse=True)
def production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)


def test_nothing_of_the_settings_points_at_production_any_more(tmp_path: Path) -> None:
    own = isolate_settings(load_settings(), home=tmp_path / "own")

    assert own.home == tmp_path / "own"
    assert own.temporal == TemporalSettings()
    assert own.redis == RedisSettings()
    assert own.chroma == ChromaSettings()
    assert own.audit == AuditSettings()
    assert own.grants == GrantSettings()
    assert own.tracking_uri.startswith("sqlite:///")


def test_the_analyst_and_where_traces_go_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_ANALYST__MODEL", "ollama/qwen3:8b")
    monkeypatch.setenv("TRIMTAB_TELEMETRY__OTLP_ENDPOINT", "http://127.0.0.1:4318/v1/traces")

    own = isolate_settings(load_settings(), home=tmp_path)

    assert own.analyst.model == "ollama/qwen3:8b"
    assert own.telemetry.otlp_endpoint is not None


def test_what_is_started_does_not_inherit_where_production_is() -> None:
    variables = {**PRODUCTION, "PATH": "/usr/bin", "TRIMTAB_HOME": "here"}

    forget_production(variables)

    assert variables == {
        "PATH": "/usr/bin",
        "TRIMTAB_HOME": "here",
        "TEMPORAL_CONFIG_FILE": "/dev/null",
    }


def test_the_processes_of_a_backtest_overrule_the_local_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PRODUCTION:
        monkeypatch.delenv(name)
    file = tmp_path / "conf" / "local" / "trimtab.yml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "chroma: {url: 'http://chroma.example.org:8000'}\naudit: {directory: /var/audit}\n"
        "temporal: {namespace: prod, profile: prod}\n"
        "grants: {private_key: /var/keys/grant.pem, public_key: /var/keys/grant.pub.pem}\n"
    )
    for name, value in PRODUCTION_OVERRIDES.items():
        monkeypatch.setenv(name, value)

    found = load_settings()

    assert found.chroma == ChromaSettings()
    assert found.audit == AuditSettings()
    assert found.temporal == TemporalSettings()
    assert found.grants == GrantSettings()

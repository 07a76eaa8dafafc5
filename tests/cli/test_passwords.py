"""No command shows the password of an address, whatever fails."""

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.bridge.local import watch
from trimtab.cli.app import app

SECRET = "s3cr/et@x"
COMMANDS = (
    ("doctor", "--verbose"),
    ("doctor", "--json"),
    ("train", "parking"),
    ("monitor", "parking"),
    ("monitor", "parking", "--json"),
    ("schedule", "parking"),
    ("audit", "verify"),
    ("audit", "show", "event-1"),
    ("events", "dead"),
    ("events", "dead", "--republish", "1-0"),
    ("events", "import", "report.json", "--model", "parking"),
    ("init", "parking", "--table", "old.csv", "--mlflow-model", "parking"),
    ("backtest", "parking"),
    ("up",),
    ("compare", f"postgresql://me:{SECRET}@127.0.0.1:1/db?table=t", "old.csv"),
)


@pytest.fixture(scope="session")
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    watch("parking")
    Path("old.csv").write_text("at,price\n2026-01-01,1\n2026-01-02,2\n")
    Path("report.json").write_text("{}")
    return tmp_path


def output_of(*command: str) -> str:
    result = CliRunner().invoke(app, command)
    return f"{result.output}{result.stderr}{result.exception!r}{result.exit_code}"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.usefixtures("folder")
def test_no_command_shows_a_password_when_nothing_answers(
    command: tuple[str, ...], closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"me:{SECRET}@127.0.0.1:{closed_port}"
    for name, scheme in ADDRESSES.items():
        monkeypatch.setenv(name, f"{scheme}://{address}")
    monkeypatch.setenv("TRIMTAB_TEMPORAL__ADDRESS", f"127.0.0.1:{closed_port}")

    said = output_of(*command)

    assert not said.endswith("None0"), "the command was to fail"
    assert "s3cr" not in said


ADDRESSES = {
    "MLFLOW_TRACKING_URI": "http",
    "TRIMTAB_REDIS__URL": "redis",
    "TRIMTAB_CHROMA__URL": "http",
    "OLLAMA_HOST": "http",
}


@pytest.mark.parametrize("name", sorted(ADDRESSES))
@pytest.mark.parametrize("command", [("doctor",), ("train", "parking")], ids=" ".join)
@pytest.mark.usefixtures("folder")
def test_no_command_shows_a_password_of_an_address_that_is_wrong(
    command: tuple[str, ...], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_TEMPORAL__ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("TRIMTAB_REDIS__URL", "redis://127.0.0.1:1")
    monkeypatch.setenv(name, f"wrong://me:{SECRET}@host:77777777/{'x' * 200}")

    said = output_of(*command)

    assert "s3cr" not in said

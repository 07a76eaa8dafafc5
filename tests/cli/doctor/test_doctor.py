import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tests.detection.sample_tables import make_churn_table, make_hourly_table
from trimtab.cli.app import app
from trimtab.cli.doctor import machine_checks, stack_checks
from trimtab.cli.doctor.check_result import CheckResult, CheckState
from trimtab.runtime.embedded.embedded_stack import EmbeddedStack
from trimtab.runtime.settings import load_settings

CLOSED = "127.0.0.1:9"
"""The discard port, where nobody listens."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with one model, and no setting from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    for name in (
        "TEMPORAL_ADDRESS",
        "MLFLOW_TRACKING_URI",
        "OLLAMA_HOST",
        *stack_checks.GEMINI_KEYS,
    ):
        monkeypatch.delenv(name, raising=False)
    make_hourly_table().to_csv("load.csv", index=False)
    CliRunner().invoke(
        app,
        ["init", "load", "--data", "load.csv", "--target", "load", "--timestamp", "when"],
        catch_exceptions=False,
    )
    return tmp_path


def run() -> tuple[int, str]:
    result = CliRunner().invoke(app, ["doctor", "--verbose"], catch_exceptions=False)
    return result.exit_code, " ".join(result.output.split())


def change(**values: object) -> None:
    """Edit the configuration of the model `load`."""
    path = Path("conf/local/models/load.yml")
    spec = yaml.safe_load(path.read_text()) | values
    path.write_text(yaml.safe_dump(spec))


def only(findings: Iterator[CheckResult]) -> CheckResult:
    (finding,) = findings
    return finding


@pytest.fixture
def server() -> Iterator[str]:
    """Answers like Ollama, MLflow and Chroma."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"/api/tags": {"models": [{"name": "smollm2:latest"}]}, "/health": {},
                     "/api/v2/heartbeat": {}}  # fmt: skip
            self.send_response(200 if self.path in known else 404)
            self.end_headers()
            self.wfile.write(json.dumps(known.get(self.path)).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def test_what_init_wrote_is_found_without_fault_and_nothing_is_changed(folder: Path) -> None:
    before = sorted(folder.rglob("*"))

    code, output = run()

    assert code == 0, output
    assert "model load" in output
    assert "336 to train on, 4 windows to replay" in output
    assert "not configured and not running" in output
    assert "No fault." in output
    assert sorted(folder.rglob("*")) == before


def test_when_all_is_well_there_is_a_line_for_each_model_and_one_for_the_stack() -> None:
    change(owner="me")

    lines = CliRunner().invoke(app, ["doctor"], catch_exceptions=False).output.splitlines()

    assert len(lines) == 3
    assert lines[0].startswith("model load: fine (1,000 rows: 336 to train on, 4 windows")
    assert lines[1] == "stack and machine: fine"
    assert lines[2].startswith("No fault (")
    assert "with --verbose" in lines[2]


def test_no_line_is_broken_inside_of_a_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")

    said = CliRunner().invoke(app, ["doctor", "--verbose"], catch_exceptions=False).output

    assert str(folder / ".trimtab") in said
    assert "…" not in said


def test_the_demos_model_is_not_shown_as_yours() -> None:
    _, output = run()

    assert "birmingham-parking" not in output


def test_the_demos_home_shows_the_demos_model(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = folder / ".trimtab" / "backtest" / "birmingham-parking"
    monkeypatch.setenv("TRIMTAB_HOME", str(home))

    _, output = run()

    assert "model birmingham-parking: fine" in output


def test_a_folder_without_a_model_says_so_with_a_code_of_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "conf")

    code, output = run()

    assert code == 3
    assert "No fault" not in output
    assert "This folder has no model of its own" in output
    assert str(folder / "conf" / "conf" / "local" / "models") in output
    assert "trimtab init MODEL --data FILE" in output


def test_json_tells_programs_the_same() -> None:
    change(target="lod")

    result = CliRunner().invoke(app, ["doctor", "--json"], catch_exceptions=False)

    found = json.loads(result.stdout)
    faults = [each for each in found["checks"] if each["state"] == "fault"]
    assert (result.exit_code, found["state"], found["models"]) == (1, "fault", ["load"])
    assert [each["model"] for each in faults] == ["load"]
    assert "has no column lod" in faults[0]["found"]
    assert "correct the names" in faults[0]["remedy"]


def test_one_model_may_be_checked_alone(folder: Path) -> None:
    (folder / "conf" / "local" / "models" / "broken.yml").write_text("name: broken\n")

    one = CliRunner().invoke(app, ["doctor", "--model", "load"], catch_exceptions=False)
    other = CliRunner().invoke(app, ["doctor", "--model", "broken"], catch_exceptions=False)
    unknown = CliRunner().invoke(app, ["doctor", "--model", "lod"], catch_exceptions=False)

    assert (one.exit_code, other.exit_code, unknown.exit_code) == (0, 1, 2)
    assert "broken" not in one.output
    assert "did you mean load?" in unknown.stderr


def test_two_files_of_one_model_are_a_fault(folder: Path) -> None:
    models = folder / "conf" / "local" / "models"
    (models / "copy.yml").write_text((models / "load.yml").read_text())

    code, output = run()

    assert code == 1
    assert "both have name = 'load'" in output


def test_every_fault_is_listed_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("conf/local/policy.yml").write_text("coldown: PT1H\n")
    Path("conf/local/models/broken.yml").write_text("name: broken\n")
    change(target="lod", minimum_rows=5000, owner="me")
    monkeypatch.setenv("TRIMTAB_REDIS__URL", f"redis://me:secret@{CLOSED}/0")
    monkeypatch.setenv("TRIMTAB_TEMPORAL__ADDRESS", CLOSED)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{CLOSED}")
    monkeypatch.setenv("TRIMTAB_ANALYST__MODEL", "ollama/smollm2")
    monkeypatch.setenv("OLLAMA_HOST", CLOSED)
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", "pk")

    code, output = run()

    assert code == 1
    for expected in (
        "did you mean cooldown?",
        "task: Field required",
        "has no column lod",
        "it has when, temperature, load",
        "correct TRIMTAB_REDIS__URL",
        "correct TRIMTAB_TEMPORAL__ADDRESS",
        "correct MLFLOW_TRACKING_URI",
        "correct OLLAMA_HOST",
        "set both LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY",
    ):
        assert expected in output
    assert "secret@" not in output


def test_wrong_settings_do_not_keep_models_from_being_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRIMTAB_BRIDGE__OPEN_STARTS", "-1")

    code, output = run()

    assert code == 1
    assert "bridge.open_starts" in output
    assert "336 to train on" in output


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"reference_windows": 6}, "none is left to replay"),
        ({"minimum_rows": 5000}, "no window has more than 168 rows"),
        ({"window": "PT1H", "reference_windows": 1}, "they hold 1 labelled rows"),
        ({"window": "PT1M"}, "over 1,000 windows"),
        ({"timestamp": "temperature", "features": [{"name": "when", "kind": "categorical"}]},
         "1,000 of 1,000 values are not times"),
        ({"features": [{"name": "temperature", "kind": "numeric", "maximum": 1}]}, "outside"),
        ({"task": "classification", "metric": "roc_auc"}, "write metric: balanced_accuracy"),
        ({"features": [{"name": "heat", "kind": "numeric"}]}, "has no column heat"),
        ({"dataset": "elsewhere"}, "'elsewhere' of model 'load' is in no catalog"),
        ({"costs": {"currency": "USD"}}, "the policy counts in EUR"),
        ({"window": "P7D", "metric": "roc_auc"}, "write r2"),
        ({"prediction": "y_pred"}, "has no such column"),
        ({"prediction": "load"}, "has another use too"),
        ({"segments": ["region"]}, "has no column region"),
        ({"segments": ["temperature"]}, "temperature is not a categorical feature"),
        ({"segments": ["load"]}, "is no categorical feature"),
        ({"reference": "season", "season": "P10D"}, "is no whole number of windows"),
        ({"reference": "season", "season": "P364D"}, "the history covers 41.62 days"),
        ({"label_delay": "P60D"}, "so no row has its label yet"),
        ({"dependence": "P4D"}, "does not hold two such periods"),
        ({"false_alarms_per_year": 100}, "there are 52.1 windows in a year"),
    ],
)  # fmt: skip
def test_a_configuration_that_contradicts_its_data_is_a_fault(
    values: dict[str, object], expected: str
) -> None:
    change(**values)

    code, output = run()

    assert code == 1, output
    assert expected in output


def test_texts_are_not_accepted_as_numbers() -> None:
    make_churn_table().assign(
        load=make_churn_table()["left"], when=make_churn_table()["day"], temperature="?"
    ).to_csv("load.csv")

    code, output = run()

    assert code == 1
    assert "target load: 20,000 values are not numbers" in output
    assert "feature temperature is numeric, but 20,000 values are not numbers" in output


def test_a_history_that_is_gone_is_a_fault() -> None:
    Path("load.csv").unlink()

    code, output = run()

    assert code == 1
    assert "load.csv" in output
    assert "conf/local" in output


def test_a_broken_catalog_is_named() -> None:
    Path("conf/local/catalog_mine.yml").write_text("mine: [\n")

    code, output = run()

    assert code == 1
    assert "catalog_mine.yml" in output
    assert "correct the YAML there" in output


def test_an_expensive_retraining_and_a_new_column_are_only_noted() -> None:
    change(costs={"retraining": 500})
    make_hourly_table().assign(wind=1.0).to_csv("load.csv", index=False)

    code, output = run()

    assert code == 0, output
    assert "each retraining will wait for a person" in output
    assert "columns neither used nor ignored: wind" in output


def test_a_policy_for_a_misspelt_model_or_a_missing_program_does_not_pass_unseen() -> None:
    Path("conf/local/policy.yml").write_text(
        "shadow_models: [laod]\nnotify: {pager: {command: [/nonexistent/page]}}\n"
    )
    change(notify=["pagr"])

    code, output = run()

    assert code == 1, output
    assert "shadow_models = 'laod': no such model" in output
    assert "did you mean load?" in output
    assert "nothing is executed for" not in output
    assert "notify.pager.command = '/nonexistent/page': is no program here" in output
    assert "notify = 'pagr': the policy has no such target: did you mean pager?" in output


def test_unusual_monitoring_settings_are_only_noted() -> None:
    change(owner="", announcement_cooldown="PT1H", label_delay="P28D", false_alarms_per_year=20)

    code, output = run()

    assert code == 0, output
    assert "owner is empty" in output
    assert "the same drift is announced every time" in output
    assert "no replayed window gets its labels" in output
    assert "one in 2.6 may be a false alarm" in output


def test_recorded_predictions_are_checked() -> None:
    make_hourly_table().assign(y=make_hourly_table()["load"], words="none").to_csv(
        "load.csv", index=False
    )
    change(prediction="y")
    fitting, _ = run()
    change(prediction="words")

    code, output = run()

    assert (fitting, code) == (0, 1)
    assert "it holds 'none', which is no number: it is no prediction of load" in output


def test_servers_that_answer_are_fine(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", server)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("TRIMTAB_CHROMA__URL", server)
    monkeypatch.setenv("TRIMTAB_ANALYST__MODEL", "ollama/smollm2")
    settings = load_settings()

    found = [
        only(check(settings))
        for check in (
            stack_checks.check_analyst, stack_checks.check_mlflow, stack_checks.check_chroma,
        )
    ]  # fmt: skip

    assert [finding.state for finding in found] == [CheckState.FINE] * 3


def test_a_model_that_ollama_lacks_is_a_fault(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", server.removeprefix("http://"))
    monkeypatch.setenv("TRIMTAB_ANALYST__MODEL", "ollama/llama3.2")

    found = only(stack_checks.check_analyst(load_settings()))

    assert (found.state, found.remedy) == (CheckState.FAULT, "run `ollama pull llama3.2`")
    assert "smollm2:latest" in found.found


def test_gemini_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_ANALYST__MODEL", "gemini-flash")
    without = only(stack_checks.check_analyst(load_settings()))
    monkeypatch.setenv("GEMINI_API_KEY", "k")

    with_key = only(stack_checks.check_analyst(load_settings()))

    assert (without.state, with_key.state) == (CheckState.FAULT, CheckState.FINE)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104 - what people write
        ("gpu:1234/", "http://gpu:1234"),
        ("https://ollama.example.org", "https://ollama.example.org:443"),
        (":5000", "http://127.0.0.1:5000"),
    ],
)
def test_ollama_is_found_however_its_host_is_written(host: str, url: str) -> None:
    assert stack_checks.parse_ollama_host(host) == url


def test_a_home_that_cannot_be_a_folder_is_a_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").write_text("")
    monkeypatch.setenv("TRIMTAB_HOME", str(folder / "file" / "home"))

    found = only(machine_checks.check_disk(load_settings()))

    assert found.state is CheckState.FAULT
    assert "TRIMTAB_HOME" in found.remedy


def test_a_full_disk_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks, "MIN_FREE_BYTES", 2**60)

    assert only(machine_checks.check_disk(load_settings())).state is CheckState.FAULT


def test_the_binaries_of_the_wheels_run() -> None:
    found = list(machine_checks.check_binaries(load_settings()))

    assert [finding.state for finding in found] == [CheckState.FINE] * 2
    assert "1.9.1" in found[0].found


async def test_a_running_stack_is_found_and_answers(folder: Path) -> None:
    settings = load_settings()

    async with EmbeddedStack(settings):
        found = [
            await asyncio.to_thread(lambda: list(check(settings)))  # noqa: B023 - awaited at once
            for check in (
                stack_checks.check_temporal, stack_checks.check_redis, stack_checks.check_mlflow,
            )
        ]  # fmt: skip

    said = "; ".join(finding.found for findings in found for finding in findings)
    assert all(finding.state is not CheckState.FAULT for findings in found for finding in findings)
    assert said.count("answers") == 2
    assert "0 entries in drift-events" in said

"""`trimtab notify` sends a test notice and says what each target answered."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from trimtab.cli.app import app


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "conf" / "local" / "policy.yml"
    path.parent.mkdir(parents=True)
    return path


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "300"}).invoke(app, ["notify", *arguments])


def test_a_test_notice_reaches_a_target_whatever_its_kinds_are(
    policy: Path, tmp_path: Path
) -> None:
    out = tmp_path / "told"
    policy.write_text(
        f"notify:\n  pager: {{command: [sh, -c, 'cat >> {out}'], kinds: [last_call]}}\n"
    )

    sent = run("pager")

    assert (sent.exit_code, sent.output) == (
        0,
        "Sent: notify.pager (the command ended with code 0)\n",
    )
    notice = json.loads(out.read_text())
    assert notice["kind"] == "test"
    assert "nothing has to be done" in notice["text"]


def test_a_target_that_fails_is_named_and_the_others_are_still_tried(
    policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_VARIABLE", raising=False)
    policy.write_text(
        "notify:\n"
        "  broken: {command: [sh, -c, 'exit 3']}\n"
        "  fine: {command: ['true']}\n"
        "  silent: {apprise_env: NO_SUCH_VARIABLE}\n"
    )

    sent = run()

    assert sent.exit_code == 1
    assert "Not sent: notify.broken: the command ended with code 3" in sent.output
    assert "Sent: notify.fine" in sent.output
    assert "NO_SUCH_VARIABLE is not set here" in sent.output
    assert "notice_sent" not in sent.output


def test_a_wrong_name_is_answered_with_the_right_one(policy: Path) -> None:
    without = run("pager")
    policy.write_text("notify: {pager: {command: ['true']}}\n")

    wrong = run("pagr")

    assert (without.exit_code, wrong.exit_code) == (2, 2)
    assert "the policy has no target" in without.output
    assert "did you mean pager?" in wrong.output

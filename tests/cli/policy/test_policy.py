"""`trimtab policy` checks a policy, explains a decision and tries another policy on old ones."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from policies.decision import decide
from policies.incident import build_decision_detail
from tests.builders import NOW, a_plan, a_question, the_facts
from trimtab.adapters.audit.audit_log import JsonlAuditLog, load_audit_key
from trimtab.cli.app import app
from trimtab.contracts.audit import GENESIS, AuditAppend, AuditEntry, Gate
from trimtab.contracts.budget import LedgerFacts, Spending
from trimtab.contracts.freeze import Freeze


class Deployment:
    """A home with an audit log of decisions, and a folder for policies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        key = load_audit_key(self.home / "keys" / "audit.key")
        self.log = JsonlAuditLog(self.home / "audit", key=key)

    def decide(
        self, incident: str, *, with_question: bool = True, model: str = "parking", **facts: Any
    ) -> None:
        plan = a_plan(event_id=incident, model=model, cost=Decimal(5))
        question = a_question(plan, the_facts(**{"ledger": LedgerFacts(), **facts}))
        detail = build_decision_detail(decide(question), question)
        if not with_question:
            del detail["question"]
        entry = AuditEntry(
            incident=incident,
            model=model,
            correlation_id=incident,
            sequence=0,
            gate=Gate.DECIDED,
            at=NOW,
            actor="policy",
            detail=detail,
        )
        self.log.append(AuditAppend(entries=(entry,), tip=GENESIS))

    def write(self, policy: str) -> str:
        path = self.folder / "new.yml"
        path.write_text(policy)
        return str(path)

    def run(self, *arguments: str) -> Result:
        runner = CliRunner(env={"COLUMNS": "300"})
        return runner.invoke(app, ["policy", *arguments], catch_exceptions=False)

    def try_policy(self, policy: str, *arguments: str) -> Result:
        return self.run(
            "whatif", "--policy", self.write(policy), "--home", str(self.home), *arguments
        )


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    monkeypatch.chdir(tmp_path)
    return Deployment(tmp_path)


def test_a_sound_policy_is_shown_with_its_hash(deployment: Deployment) -> None:
    result = deployment.run("check", "--policy", deployment.write("shadow: true\ncooldown: PT1H\n"))

    assert result.exit_code == 0
    assert "cooldown: PT1H" in result.stdout
    assert "No fault. Hash: " in result.stdout
    assert "nothing is executed for every model" in result.stdout


def test_every_fault_of_a_policy_is_listed_with_its_remedy(deployment: Deployment) -> None:
    policy = deployment.write("cooldwn: PT1H\ntimezone: Mars/Base\n")

    result = deployment.run("check", "--policy", policy)

    assert result.exit_code == 2
    assert "did you mean cooldown?" in result.stderr
    assert "no time zone is named 'Mars/Base'" in result.stderr


def a_folder_with_model(folder: Path, name: str) -> None:
    models = folder / "conf" / "local" / "models"
    models.mkdir(parents=True)
    (models / f"{name}.yml").write_text(f"name: {name}\n")


def test_a_model_that_is_not_configured_is_a_fault_with_the_nearest_name(
    deployment: Deployment,
) -> None:
    a_folder_with_model(deployment.folder, "prices")

    misspelt = deployment.run("check", "--policy", deployment.write("shadow_models: [prics]\n"))
    right = deployment.run("check", "--policy", deployment.write("shadow_models: [prices]\n"))

    assert (misspelt.exit_code, right.exit_code) == (2, 0)
    assert "shadow_models = 'prics': no such model" in misspelt.stderr
    assert "did you mean prices?" in misspelt.stderr
    assert "Shadow mode: nothing is executed for prices" in right.stdout


def test_what_targets_lack_on_this_machine_is_a_warning(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    policy = deployment.write(
        "notify:\n"
        "  pager: {command: [/nonexistent/page]}\n"
        "  hook: {webhook: 'https://example.com/x', secret_env: HOOK_SECRET}\n"
    )

    shown = deployment.run("check", "--policy", policy)
    warnings = json.loads(deployment.run("check", "--policy", policy, "--json").stdout)["warnings"]

    assert shown.exit_code == 0
    assert "Warning: notify.pager.command = '/nonexistent/page'" in shown.stdout
    assert "only machines that send notices need it" in shown.stdout
    assert len(warnings) == 2
    assert "HOOK_SECRET is not set here" in warnings[1]


def test_a_blackout_that_is_active_is_said(deployment: Deployment) -> None:
    policy = "blackouts: [{name: for ever, start: '00:00', duration: P9D}]\n"

    result = deployment.run("check", "--json", "--policy", deployment.write(policy))

    assert json.loads(result.stdout)["blackout"] == "blackout 'for ever' is active"


def test_every_rule_of_a_decision_is_explained(deployment: Deployment) -> None:
    deployment.decide("event-1", confidence=0.2)

    result = deployment.run("explain", "event-1", "--home", str(deployment.home))

    assert result.exit_code == 0
    assert "Verdict: escalate by confidence_threshold" in result.stdout
    for rule in ("cost_limit", "budget", "breaker", "freeze", "shadow"):
        assert rule in result.stdout


def test_what_was_decided_behind_the_end_explains_nothing(deployment: Deployment) -> None:
    """Whoever has access to Temporal can start the workflow again, under limits of their own."""
    deployment.decide("event-1", freeze=Freeze())
    (first,) = deployment.log.lines("event-1")
    forged = first.entry.detail | {"verdict": "monitor", "rule": "shadow"}
    behind = [(Gate.CLOSED, {"ending": "expired"}), (Gate.CONFLICT, {}), (Gate.DECIDED, forged)]
    entries = tuple(
        first.entry.model_copy(update={"sequence": number, "gate": gate, "detail": detail})
        for number, (gate, detail) in enumerate(behind, start=1)
    )
    deployment.log.append(AuditAppend(entries=entries, tip=first.hash))

    result = deployment.run("explain", "event-1", "--home", str(deployment.home))

    assert "Verdict: escalate by freeze" in result.output


def test_an_unknown_incident_is_refused(deployment: Deployment) -> None:
    deployment.decide("event-1")

    result = deployment.run("explain", "event-2", "--home", str(deployment.home))

    assert result.exit_code == 1
    assert "'event-2' is not in" in result.stderr


def test_another_policy_is_tried_on_recorded_decisions(deployment: Deployment) -> None:
    deployment.decide("event-1", confidence=0.85)
    deployment.decide("event-2", confidence=0.95)
    deployment.decide("event-3", confidence=0.5)

    result = deployment.try_policy("confidence_above: 0.9\n")

    assert result.exit_code == 0
    assert "incident event-1" in result.stdout
    assert "event-2" not in result.stdout
    assert "would be escalate by confidence_threshold" in result.stdout
    assert "Decisions: 3, changed: 1." in result.stdout
    assert "execute to escalate: 1" in result.stdout


def test_a_file_that_is_no_chain_does_not_stop_the_trial(deployment: Deployment) -> None:
    deployment.decide("event-1")
    with (deployment.home / "audit" / "parking" / "disk.jsonl").open("wb") as file:
        file.truncate(65 * 2**20)

    result = deployment.try_policy("confidence_above: 0.99\n")

    assert result.exit_code == 0
    assert "Decisions: 1, changed: 1." in result.output


def test_the_same_policy_changes_nothing(deployment: Deployment) -> None:
    deployment.decide("event-1", ledger=LedgerFacts())

    assert "Decisions: 1, changed: 0." in deployment.try_policy("").stdout


def test_a_budget_is_tried_on_what_was_spent_by_then(deployment: Deployment) -> None:
    busy = LedgerFacts(model_day=Spending(actions=3, cost=Decimal(15)))
    deployment.decide("event-1", ledger=busy)
    deployment.decide("event-2", ledger=LedgerFacts())

    result = deployment.try_policy("budgets: {each_model: {cost_per_day: 18}}\n", "--json")

    (change,) = json.loads(result.stdout)["changes"]
    assert change["incident"] == "event-1"
    assert change["revised"]["rule"] == "budget"


def test_a_breaker_is_tried_on_the_failures_of_that_time(deployment: Deployment) -> None:
    failures = (NOW - timedelta(days=20), NOW - timedelta(days=1))
    deployment.decide("event-1", ledger=LedgerFacts(failures=failures))

    month = deployment.try_policy("breaker: {failures: 2, period: P30D}\n").stdout
    week = deployment.try_policy("breaker: {failures: 2, period: P7D}\n").stdout

    assert "would be escalate by breaker" in month
    assert "changed: 0." in week


def test_decisions_of_an_earlier_release_and_of_other_models_are_left_out(
    deployment: Deployment,
) -> None:
    deployment.decide("event-1", with_question=False)
    deployment.decide("event-2", model="prices")
    deployment.decide("event-3")

    result = deployment.try_policy("shadow: true\n", "--model", "parking")

    assert "Decisions: 1, changed: 1." in result.stdout
    assert "would be monitor by shadow: shadow: would have executed retrain" in result.stdout
    assert "Left out: 1 decisions" in result.stdout


def test_a_log_without_decisions_has_a_code_of_its_own(deployment: Deployment) -> None:
    assert deployment.try_policy("shadow: true\n").exit_code == 3

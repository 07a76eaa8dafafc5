import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from trimtab.contracts.approvers import Approver
from trimtab.contracts.base import compute_digest
from trimtab.contracts.budget import Breaker
from trimtab.contracts.decision import Limits
from trimtab.contracts.drift import Severity
from trimtab.contracts.model import Task, Tier
from trimtab.contracts.notice import NoticeTarget
from trimtab.contracts.remediation import Action
from trimtab.contracts.slug import slug
from trimtab.runtime.backtest_homes import DEMO_MODEL, build_backtest_home, build_rehearsal_home
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.model_files import (
    build_local_model_path,
    list_model_names,
    list_own_model_names,
)
from trimtab.runtime.models import (
    check_model_name,
    compute_policy_hash,
    load_limits,
    load_model_spec,
    propose_model_name,
)
from trimtab.runtime.policy import adapt_limits
from trimtab.runtime.settings import Settings
from trimtab.runtime.settings_sections import BacktestSettings

FLIGHTS = """\
name: flights
task: classification
dataset: flights_history
target: delayed
timestamp: departed
features:
  - {name: carrier, kind: categorical}
  - {name: distance, kind: numeric, minimum: 0}
window: P30D
reference_windows: 2
label_delay: PT6H
metric: roc_auc
"""


@pytest.fixture(autouse=True)
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with conf/local."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "local" / "models").mkdir(parents=True)
    return tmp_path / "conf" / "local"


def faults_of(name: str) -> str:
    with pytest.raises(BadConfigurationError) as caught:
        load_model_spec(name)
    return str(caught.value)


def policy_faults() -> str:
    with pytest.raises(BadConfigurationError) as caught:
        load_limits()
    return str(caught.value)


def test_a_local_model_is_known_and_loads(local: Path) -> None:
    (local / "models" / "flights.yml").write_text(FLIGHTS)

    spec = load_model_spec("flights")

    assert "flights" in list_model_names()
    assert spec.task is Task.CLASSIFICATION
    assert spec.window == timedelta(days=30)
    assert spec.tier is Tier.STANDARD


def test_every_shipped_model_loads() -> None:
    for name in list_model_names():
        assert load_model_spec(name).name == name


def test_a_local_model_replaces_the_shipped_one(
    local: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    (shipped / "base" / "models").mkdir(parents=True)
    monkeypatch.setattr("trimtab.runtime.model_files.shipped_conf", lambda: shipped)
    (shipped / "base" / "models" / "flights.yml").write_text(FLIGHTS)
    before = load_model_spec("flights")
    (local / "models" / "flights.yml").write_text(FLIGHTS.replace("P30D", "P7D"))

    after = load_model_spec("flights")

    assert (before.window, after.window) == (timedelta(days=30), timedelta(days=7))
    assert list_model_names() == ("flights",)


@pytest.mark.parametrize("name", ["team/sales", "team:sales", "..", ".hidden", " "])
def test_a_name_that_mlflow_does_not_take_is_a_fault_and_another_is_proposed(name: str) -> None:
    (fault,) = check_model_name(name)

    assert repr(name) in fault
    assert not list(check_model_name(propose_model_name(name)))


def test_a_configured_name_that_mlflow_does_not_take_is_a_fault(local: Path) -> None:
    text = FLIGHTS.replace("name: flights", "name: team/flights")
    (local / "models" / f"{slug('team/flights')}.yml").write_text(text)

    assert "call it 'team-flights'" in faults_of("team/flights")


def test_a_model_whose_name_is_no_file_name_is_found_by_its_slug(local: Path) -> None:
    name = "sales of EU shops"
    (local / "models" / f"{slug(name)}.yml").write_text(FLIGHTS.replace("flights\n", f"'{name}'\n"))

    assert load_model_spec(name).name == name
    assert list_model_names().count(name) == 1


def test_an_unknown_model_is_answered_with_the_names_there_are(local: Path) -> None:
    (local / "models" / "flights.yml").write_text(FLIGHTS)

    message = faults_of("fligths")

    assert "flights" in message
    assert "did you mean flights?" in message
    assert "trimtab init" in message


def test_every_fault_of_a_model_is_listed_at_once(local: Path) -> None:
    broken = FLIGHTS.replace("classification", "clustering").replace("P30D", "30")
    (local / "models" / "flights.yml").write_text(broken + "lable_delay: PT0S\n")

    message = faults_of("flights")

    assert "task = 'clustering'" in message
    assert "window = 30: " in message
    assert "write a duration such as PT6H" in message
    assert "did you mean label_delay?" in message
    assert message.count("flights.yml") == 3


def test_settings_that_contradict_each_other_are_faults(local: Path) -> None:
    text = (
        FLIGHTS.replace("roc_auc", "r2")
        .replace("P30D", "PT0S")
        .replace("minimum: 0", "minimum: 5, maximum: 1")
        .replace("kind: categorical", "kind: categorical, minimum: 1")
    )
    more = "time_features: [hour, decade]\nignored: {carrier: constant}\n"
    (local / "models" / "flights.yml").write_text(text + more)

    message = faults_of("flights")

    assert "write roc_auc or balanced_accuracy" in message
    assert "must be longer than 0" in message
    assert "minimum of distance = 5.0: above its maximum 1.0" in message
    assert "a category has no bounds" in message
    assert "'decade': unknown: choose from hour, weekday, month" in message
    assert "ignored = 'carrier': it is used too" in message


def test_a_model_is_called_as_its_file_says_whatever_the_file_is_called(local: Path) -> None:
    (local / "models" / "trains.yml").write_text(FLIGHTS)

    assert load_model_spec("flights").name == "flights"
    assert "the file of that name is of model 'flights'" in faults_of("trains")


def test_two_files_of_one_model_are_a_fault(local: Path) -> None:
    for file in ("trains", "planes"):
        (local / "models" / f"{file}.yml").write_text(FLIGHTS)

    assert "both have name = 'flights': remove one" in faults_of("flights")


@pytest.mark.parametrize("former", ["sales-of-EU-shops", "Churn", "wind.farm"])
def test_a_file_of_a_former_release_is_still_found(local: Path, former: str) -> None:
    name = former.replace("-of-", " of ").replace("-shops", " shops")
    text = FLIGHTS.replace("flights\n", f"'{name}'\n", 1)
    (local / "models" / f"{former}.yml").write_text(text)

    assert load_model_spec(name).name == name
    assert name in list_model_names()


def test_names_that_differ_in_a_character_only_have_files_of_their_own(local: Path) -> None:
    names = ("wind.farm", "wind_farm", "wind-farm", "Wind-farm", "wind farm")
    for name in names:
        text = FLIGHTS.replace("flights\n", f"'{name}'\n", 1)
        build_local_model_path(name).write_text(text)

    assert [load_model_spec(name).name for name in names] == list(names)
    assert len(list((local / "models").iterdir())) == len(names)


def test_the_demos_model_is_of_the_demos_homes_only(local: Path) -> None:
    (local / "models" / "flights.yml").write_text(FLIGHTS)
    mine = local.parents[1] / ".trimtab"
    demo = build_backtest_home(mine, DEMO_MODEL)

    assert list_own_model_names(mine) == ("flights",)
    assert list_own_model_names(build_backtest_home(mine, "flights")) == ("flights",)
    assert list_own_model_names(demo) == (DEMO_MODEL, "flights")
    assert list_own_model_names(build_rehearsal_home(demo)) == (DEMO_MODEL, "flights")
    assert DEMO_MODEL in list_model_names()


def test_a_local_model_of_the_demos_name_is_the_users(local: Path) -> None:
    text = FLIGHTS.replace("flights\n", f"{DEMO_MODEL}\n", 1)
    (local / "models" / "mine.yml").write_text(text)

    assert list_own_model_names(local) == (DEMO_MODEL,)
    assert load_model_spec(DEMO_MODEL).target == "delayed"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [1, 2", "correct the YAML there"),
        ("name: x\nname: y\n", "name stands twice"),
        ("- a\n- b\n", "write `key: value` lines"),
        (b"name: \xff\xfe\n", "cannot be read as UTF-8"),
        ("", "task: Field required: add it"),
    ],
)
def test_a_file_that_is_no_configuration_is_named(
    local: Path, text: str | bytes, fault: str
) -> None:
    raw = text if isinstance(text, bytes) else text.encode()
    (local / "models" / "flights.yml").write_bytes(raw)

    message = faults_of("flights")

    assert fault in message
    assert "flights.yml" in message
    assert "flights" in list_model_names()


def test_words_that_yaml_1_1_would_guess_at_stay_words(local: Path) -> None:
    text = FLIGHTS.replace("name: carrier", "name: no").replace("departed", "2016-10-04")
    (local / "models" / "flights.yml").write_text(text.replace("delayed", "12:30"))

    spec = load_model_spec("flights")

    assert (spec.features[0].name, spec.timestamp, spec.target) == ("no", "2016-10-04", "12:30")


def test_the_shipped_policy_is_the_default_of_the_contract_with_a_breaker() -> None:
    """Incidents that began before there was a breaker have none."""
    expected = Limits(breaker=Breaker(failures=3))

    assert load_limits() == expected
    assert compute_policy_hash(load_limits()) == compute_digest(expected)


def test_local_limits_lie_over_the_shipped_ones(local: Path) -> None:
    (local / "policy.yml").write_text(
        "cost_at_most: 12.50\n"
        "allowed_actions:\n  critical: [retrain]\n"
        "blackouts:\n  - {name: closing, weekdays: [4], start: 18:00, duration: PT14H}\n"
    )

    limits = load_limits()

    assert limits.cost_at_most == Decimal("12.5")
    assert limits.confidence_above == 0.80
    assert limits.allowed_actions[Tier.CRITICAL] == (Action.RETRAIN,)
    assert limits.allowed_actions[Tier.STANDARD] == (Action.RETRAIN, Action.ROLL_BACK)
    assert limits.blackouts[0].start.isoformat() == "18:00:00"
    assert compute_policy_hash(limits) != compute_policy_hash(Limits())


def test_a_typo_in_the_policy_stops_the_start(local: Path) -> None:
    (local / "policy.yml").write_text(
        "coldown: PT1H\n"
        "cooldown: 6\n"
        "confidence_above: 80\n"
        "allowed_actions:\n  critcal: [retrian]\n"
        "blackouts:\n  - {name: x, start: 18:00, duration: PT1H, time_zone: UTC}\n"
    )

    message = policy_faults()

    assert "did you mean cooldown?" in message
    assert "cooldown = 6" in message
    assert "confidence_above = 80" in message
    assert "critcal" in message
    assert "retrian" in message
    assert "did you mean timezone?" in message


def test_the_policies_of_the_operations_guide_are_in_order(local: Path) -> None:
    guide = (ROOT / "docs" / "operations.md").read_text()
    examples = re.findall(r"```yaml\n# conf/local/policy.yml\n(.*?)```", guide, flags=re.DOTALL)
    people = next(each for each in examples if each.startswith("approvers:"))
    targets = next(each for each in examples if each.startswith("notify:"))
    (local / "policy.yml").write_text(people + targets)

    limits = load_limits()

    assert set(limits.approvers) == {"ada", "bob"}
    assert limits.two_approvals_from is Severity.CRITICAL
    assert set(limits.notify) == {"ml-team", "second-rank", "dashboard", "pager"}


def test_people_who_could_never_approve_are_a_fault(local: Path) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
    (local / "policy.yml").write_text(
        "approvers:\n"
        f"  ada: {{keys: ['{key} ada'], tiers: [standard]}}\n"
        f"  bob: {{keys: ['{key} bob']}}\n"
        "  Bob: {}\n"
        "approvals_needed: {critical: 3}\n"
        "require_signature: true\n"
        "notify:\n  team: {webhook: 'https://example.com'}\n"
    )

    message = policy_faults()

    assert "approvers.bob: has the same key as ada" in message
    assert "approvers.Bob: has no key" in message
    assert "differs in case only" in message
    assert "approvals_needed.critical = 3: 2 of the listed approvers may approve" in message
    assert "list more people under approvers" in message
    assert "notify.team: a webhook is signed" in message


def test_a_wrong_address_is_answered_with_a_remedy_and_no_pattern(local: Path) -> None:
    (local / "policy.yml").write_text(
        "notify:\n"
        "  hook: {webhook: 'https://ada:pw@example.com/x', secret_env: S}\n"
        "  chat: {apprise_env: 'slack://token'}\n"
    )

    message = policy_faults()

    assert "notify.hook.webhook" in message
    assert ": write https://host/path, without user and password" in message
    assert ": write the name of an environment variable" in message
    assert "pattern" not in message
    assert "Value error" not in message


@pytest.mark.parametrize(
    ("name", "key"),
    [("policy", ""), ("analyst/rules", ""), ("ada", "ssh-rsa AAAA"), ("ada", "ssh-ed25519 AAAA")],
)
def test_no_part_of_trimtab_and_no_other_key_is_an_approver(
    local: Path, name: str, key: str
) -> None:
    keys = f"['{key}']" if key else "[]"
    (local / "policy.yml").write_text(f"approvers:\n  {name}: {{keys: {keys}}}\n")

    assert "approvers" in policy_faults()


def test_a_backtest_lets_the_local_user_answer_and_tells_nobody() -> None:
    limits = Limits(
        approvers={"ada": Approver()},
        require_signature=True,
        two_approvals_from=Severity.LOW,
        notify={"team": NoticeTarget(command=("true",))},
    )
    shorter = timedelta(seconds=5)

    replay = Settings(backtest=BacktestSettings(replay=True, approval_timeout=shorter))

    assert adapt_limits(limits, replay) == Limits(approval_timeout=shorter)
    assert adapt_limits(limits, Settings()) == limits


def test_a_blackout_that_never_is_is_a_fault(local: Path) -> None:
    (local / "policy.yml").write_text(
        "blackouts:\n  - {name: x, weekdays: [1, 7], start: '18:00Z', duration: PT1H}\n"
    )

    message = policy_faults()

    assert "blackouts.x.weekdays = [7]" in message
    assert "has a zone" in message


ICS = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//t//t//\nBEGIN:VEVENT\nUID:1\nSUMMARY:closing\n"
    "DTSTART;VALUE=DATE:20261224\nRRULE:FREQ={}\nEND:VEVENT\nEND:VCALENDAR\n"
)


def test_the_content_of_a_named_calendar_is_part_of_the_limits(local: Path) -> None:
    (local / "calendars").mkdir()
    (local / "calendars" / "closing.ics").write_text(ICS.format("YEARLY"))
    (local / "policy.yml").write_text("calendars: [calendars/closing.ics]\n")

    (calendar,) = load_limits().calendars

    assert calendar.name == "closing"
    assert calendar.content == ICS.format("YEARLY")


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        ("calendars: [missing.ics]", "'missing.ics': cannot be read"),
        ("calendars: [fast.ics]", "FREQ=MINUTELY: write one of DAILY"),
        ("calendars: [long.ics]", "calendars.0.content"),
        ("holidays: [{country: QQ}]", "holidays.QQ: Country QQ not available"),
        ("timezone: Europe/Atlantis", "no time zone is named 'Europe/Atlantis'"),
        ("budgets: {each_model: {actions_per_week: 3}}", "actions_per_week"),
        ("budgets: {all_models: {cost_per_day: -1}}", "cost_per_day"),
        ("breaker: {failures: 0}", "failures"),
    ],
)
def test_a_fault_in_calendars_budgets_or_breaker_is_named(
    local: Path, policy: str, fault: str
) -> None:
    (local / "fast.ics").write_text(ICS.format("MINUTELY"))
    (local / "long.ics").write_text(ICS.format("YEARLY") + " " * 70_000)
    (local / "policy.yml").write_text(policy)

    assert fault in policy_faults()

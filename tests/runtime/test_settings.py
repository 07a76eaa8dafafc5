"""Settings that are wrong stop the start, all at once; misspelt names are suggested."""

from pathlib import Path

import pytest

from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.settings import find_unknown_variables, load_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def faults(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadConfigurationError) as raised:
        load_settings()
    return "\n".join(raised.value.faults)


def test_a_misspelt_variable_is_listed_with_every_other_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = faults(monkeypatch, TRIMTAB_REDS__URL="redis://x", TRIMTAB_ANALYST__MODEL="gpt")

    assert "TRIMTAB_REDS__URL: no such setting: did you mean TRIMTAB_REDIS__URL?" in message
    assert "unknown analyst" in message


def test_a_variable_that_is_like_none_of_ours_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRIMTAB_NOSUCH", "1")

    load_settings()

    assert find_unknown_variables(
        ["TRIMTAB_NOSUCH", "TRIMTAB_HOME", "trimtab_redis__url", "PATH"]
    ) == {"TRIMTAB_NOSUCH": ""}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRIMTAB_BRIDGE__CLAIM_AFTER", "-PT5S"),
        ("TRIMTAB_BRIDGE__BLOCK", "PT0S"),
        ("TRIMTAB_GRANTS__LIFETIME", "-PT1H"),
        ("TRIMTAB_ANALYST__TIMEOUT", "PT0S"),
        ("TRIMTAB_ANALYST__DELIBERATION_TIMEOUT", "PT0S"),
        ("TRIMTAB_WORKER__GRACE", "-PT1S"),
    ],
)
def test_a_span_that_takes_no_time_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert "greater than" in faults(monkeypatch, **{name: value})


def write_local(text: str) -> Path:
    file = Path("conf", "local", "trimtab.yml")
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


def test_the_local_file_wins_over_the_shipped_one_and_the_environment_over_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_local("bridge: {block: PT9S, open_starts: 7}\nredis: {stream: mine}\n")
    monkeypatch.setenv("TRIMTAB_BRIDGE__OPEN_STARTS", "9")

    settings = load_settings()

    assert settings.bridge.block.total_seconds() == 9
    assert settings.bridge.open_starts == 9
    assert settings.redis.stream == "mine"
    assert settings.redis.group == "drift-responders"


def test_words_in_the_file_that_yaml_1_1_would_guess_at_stay_words() -> None:
    write_local("redis: {stream: on, group: 18:00, dead_letters: 2016-10-04}\n")

    redis = load_settings().redis

    assert (redis.stream, redis.group, redis.dead_letters) == ("on", "18:00", "2016-10-04")


@pytest.mark.parametrize("text", ["home: [1\n", "home: a\nhome: b\n", "- home\n"])
def test_a_file_that_is_no_configuration_stops_the_start(text: str) -> None:
    file = write_local(text)

    with pytest.raises(BadConfigurationError, match=str(file)):
        load_settings()

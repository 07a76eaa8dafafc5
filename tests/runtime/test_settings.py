"""Settings that are wrong stop the start, all at once; slips of the pen are told by name."""

from pathlib import Path

import pytest

from trimtab.runtime.settings import BadConfigurationError, load_settings, unknown_variables


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def faults(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadConfigurationError) as raised:
        load_settings()
    return "\n".join(raised.value.faults)


def test_a_misspelt_variable_is_told_beside_every_other_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = faults(monkeypatch, TRIMTAB_REDS__URL="redis://x", TRIMTAB_ANALYST__MODEL="gpt")

    assert "TRIMTAB_REDS__URL: no such setting: did you mean TRIMTAB_REDIS__URL?" in told
    assert "unknown analyst" in told


def test_a_variable_that_is_like_none_of_ours_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRIMTAB_NOSUCH", "1")

    load_settings()

    assert unknown_variables(["TRIMTAB_NOSUCH", "TRIMTAB_HOME", "trimtab_redis__url", "PATH"]) == {
        "TRIMTAB_NOSUCH": ""
    }


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

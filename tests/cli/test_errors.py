"""Every error becomes a message and an exit code in one place."""

import signal

import pytest
import typer

from trimtab.cli.errors import ExitCode, InterruptionError, explain_errors
from trimtab.contracts.errors import TrimtabError
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.errors import BadConfigurationError, StackError


def exit_code_of(error: BaseException, *, one_means_drift: bool = False) -> int:
    with pytest.raises(typer.Exit) as ended, explain_errors(one_means_drift=one_means_drift):
        raise error
    return ended.value.exit_code


@pytest.mark.parametrize(
    ("error", "code", "code_beside_drift"),
    [
        (BadConfigurationError(["a.yml: x = 1"]), 2, 2),
        (Refused("no champion"), 1, 2),
        (Unavailable("no answer"), 1, 69),
        (StackError("no port"), 1, 69),
        (FileNotFoundError(2, "No such file or directory", "a.csv"), 2, 2),
        (ZeroDivisionError("a bug"), 70, 70),
        (KeyboardInterrupt(), 130, 130),
        (RuntimeError("Query interrupted"), 130, 130),
        (InterruptionError(signal.SIGTERM), 143, 143),
    ],
)
def test_an_error_has_one_exit_code_and_never_that_of_drift(
    error: BaseException, code: int, code_beside_drift: int
) -> None:
    assert exit_code_of(error) == code
    assert exit_code_of(error, one_means_drift=True) == code_beside_drift
    assert code_beside_drift != ExitCode.DRIFT


def test_one_fault_stands_beside_its_title_and_several_below_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exit_code_of(BadConfigurationError(["a.yml: x = 1"]))
    one = capsys.readouterr().err
    exit_code_of(BadConfigurationError(["a.yml: x = 1", "b.yml: y = 2"]))
    several = capsys.readouterr().err

    assert one == "Bad input: a.yml: x = 1\n"
    assert several == "Bad input:\n  • a.yml: x = 1\n  • b.yml: y = 2\n"


def test_only_a_fault_of_trimtab_itself_has_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exit_code_of(TrimtabError("the worker ended:\nout of memory"))
    explained = capsys.readouterr().err
    exit_code_of(ZeroDivisionError("a bug"))
    own = capsys.readouterr().err

    assert explained == "Failed: the worker ended:\nout of memory\n"
    assert "Traceback" in own
    assert "A fault of Trimtab itself" in own


def test_a_message_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code_of(Refused("column '\x1b[2J'"))

    assert "\x1b[2J" not in capsys.readouterr().err


@pytest.mark.parametrize("error", [typer.Exit(3), typer.BadParameter("no"), typer.Abort()])
def test_what_typer_handles_itself_is_left_to_it(error: Exception) -> None:
    with pytest.raises(type(error)), explain_errors():
        raise error

"""Errors that no retry can fix are marked so; every other error passes unchanged."""

import inspect

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.errors import (
    CHAMPION_MOVED_TYPE,
    CONTRACT_BREACH_TYPE,
    MAX_FAILURE_LENGTH,
    REFUSED_TYPE,
    translate_errors,
)
from trimtab.contracts.approval import HumanDecision
from trimtab.contracts.ports import ChampionMovedError, Refused, Unavailable


class Things:
    @activity.defn
    @translate_errors
    def do(self, error: str) -> str:
        return _raise(error)

    @activity.defn
    @translate_errors
    async def do_later(self, error: str) -> str:
        return _raise(error)


def _raise(error: str) -> str:
    if error == "contract":
        HumanDecision.model_validate({"plan_hash": 1})
    errors: dict[str, Exception] = {
        "refused": Refused("the name is taken"),
        "moved": ChampionMovedError("the champion is 4, not 3"),
        "long": Unavailable("x" * 5000 + " the end"),
        "secret": ConnectionError("cannot reach redis://me:s3cret@cache:6379/0"),
        "value": ValueError("not a number"),
        "unavailable": Unavailable("locked"),
        "bug": KeyError("x"),
    }
    if error in errors:
        raise errors[error]
    return "done"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("refused", REFUSED_TYPE),
        ("moved", CHAMPION_MOVED_TYPE),
        ("value", CONTRACT_BREACH_TYPE),
        ("contract", CONTRACT_BREACH_TYPE),
    ],
)
async def test_an_error_that_no_retry_can_fix_is_not_retried(error: str, kind: str) -> None:
    with pytest.raises(ApplicationError) as blocking:
        Things().do(error)
    with pytest.raises(ApplicationError) as waiting:
        await Things().do_later(error)

    assert (blocking.value.type, blocking.value.non_retryable) == (kind, True)
    assert (waiting.value.type, waiting.value.non_retryable) == (kind, True)


@pytest.mark.parametrize(("error", "kind"), [("unavailable", Unavailable), ("bug", KeyError)])
async def test_an_error_that_a_retry_may_fix_passes_unchanged(
    error: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        Things().do(error)
    with pytest.raises(kind):
        await Things().do_later(error)


def test_a_long_failure_is_cut_in_the_middle_and_still_retried() -> None:
    with pytest.raises(ApplicationError) as cut:
        Things().do("long")

    message = cut.value.message
    assert (cut.value.type, cut.value.non_retryable) == ("Unavailable", False)
    assert len(message) <= MAX_FAILURE_LENGTH + 3
    assert message.startswith("xxx")
    assert message.endswith("the end")
    assert cut.value.__cause__ is None


def test_a_long_cause_is_cut_too() -> None:
    class Busy:
        @activity.defn
        @translate_errors
        def do(self) -> None:
            msg = "busy"
            raise Unavailable(msg) from RuntimeError("y" * 9000)

    with pytest.raises(ApplicationError) as cut:
        Busy().do()

    assert cut.value.message == "busy"
    assert cut.value.__cause__ is None


def test_no_password_gets_into_a_history() -> None:
    with pytest.raises(ApplicationError) as failed:
        Things().do("secret")

    assert failed.value.message == "cannot reach redis://me:***@cache:6379/0"
    assert (failed.value.type, failed.value.non_retryable) == ("ConnectionError", False)


async def test_a_decorated_activity_keeps_its_result_name_and_signature() -> None:
    assert Things().do("") == "done"
    assert await Things().do_later("") == "done"
    assert inspect.iscoroutinefunction(Things.do_later)
    assert list(inspect.signature(Things.do).parameters) == ["self", "error"]

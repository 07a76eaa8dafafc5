"""Errors that no retry can fix are marked so; every other error passes unchanged."""

import inspect

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.errors import CONTRACT_BREACH_TYPE, REFUSED_TYPE, translate_errors
from trimtab.contracts.approval import HumanDecision
from trimtab.contracts.ports import Refused, Unavailable


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
        "refused": Refused("the champion is 4, not 3"),
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


async def test_a_decorated_activity_keeps_its_result_name_and_signature() -> None:
    assert Things().do("") == "done"
    assert await Things().do_later("") == "done"
    assert inspect.iscoroutinefunction(Things.do_later)
    assert list(inspect.signature(Things.do).parameters) == ["self", "error"]

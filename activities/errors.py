"""Tells Temporal which errors a retry cannot fix.

`Unavailable` and every unexpected error pass unchanged, and Temporal retries the activity.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar, cast

from temporalio.exceptions import ApplicationError

from trimtab.contracts.ports import Refused

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")

REFUSED_TYPE: Final = "Refused"
"""Error type of what a port refused."""
CONTRACT_BREACH_TYPE: Final = "ContractBreach"
"""Error type of data that does not match its contract."""


def translate_errors(function: Callable[_Params, _Result]) -> Callable[_Params, _Result]:
    """Decorate an activity, async or not, so that refusals and bad data are not retried."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run_async(*args: _Params.args, **kwargs: _Params.kwargs) -> object:
            with _translate():
                return await function(*args, **kwargs)

        return cast("Callable[_Params, _Result]", run_async)

    @functools.wraps(function)
    def run_blocking(*args: _Params.args, **kwargs: _Params.kwargs) -> _Result:
        with _translate():
            return function(*args, **kwargs)

    return run_blocking


@contextmanager
def _translate() -> Iterator[None]:
    try:
        yield
    except Refused as refusal:
        # Without the cause: the message is complete, and histories keep every byte for long.
        raise ApplicationError(str(refusal), type=REFUSED_TYPE, non_retryable=True) from None
    except ValueError as breach:
        raise ApplicationError(
            str(breach), type=CONTRACT_BREACH_TYPE, non_retryable=True
        ) from breach

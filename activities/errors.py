"""Sorts what goes wrong for Temporal: what no retry can mend is said to be so.

`Unavailable` and everything unforeseen rise untouched, and Temporal tries again.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, ParamSpec, TypeVar, cast

from temporalio.exceptions import ApplicationError

from trimtab.contracts.ports import Refused

Params = ParamSpec("Params")
Result = TypeVar("Result")

REFUSED: Final = "Refused"
"""Error type of what a port said no to."""
CONTRACT_BREACH: Final = "ContractBreach"
"""Error type of data that is not what the contract says."""


def translated(function: Callable[Params, Result]) -> Callable[Params, Result]:
    """Decorates an activity, async or not: refusals and breaches of contract are not retried."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def waiting(*args: Params.args, **kwargs: Params.kwargs) -> Any:  # noqa: ANN401 - the function's own
            with _translating():
                return await function(*args, **kwargs)

        return cast("Callable[Params, Result]", waiting)

    @functools.wraps(function)
    def blocking(*args: Params.args, **kwargs: Params.kwargs) -> Result:
        with _translating():
            return function(*args, **kwargs)

    return blocking


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except Refused as refusal:
        # Without its cause, for the message says it all and a history is kept for long.
        raise ApplicationError(str(refusal), type=REFUSED, non_retryable=True) from None
    except ValueError as breach:
        raise ApplicationError(str(breach), type=CONTRACT_BREACH, non_retryable=True) from breach

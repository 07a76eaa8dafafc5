"""Tells Temporal which errors a retry cannot fix, and keeps every failure small and secret-free.

`Unavailable` and every unexpected error pass, and Temporal retries the activity. An error whose
text is long, or holds a password, passes as its type with a shorter text: Temporal cuts a failure
of more than 4 KiB wherever it likes, and histories keep what they got.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar, cast

from temporalio.exceptions import ApplicationError, FailureError

from trimtab.contracts.ports import ChampionMovedError, Refused
from trimtab.contracts.redaction import redact_passwords

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")

CHAMPION_MOVED_TYPE: Final = "ChampionMoved"
"""Error type of a plan whose champion somebody else has replaced."""
REFUSED_TYPE: Final = "Refused"
"""Error type of what a port refused."""
CONTRACT_BREACH_TYPE: Final = "ContractBreach"
"""Error type of data that does not match its contract."""
MAX_FAILURE_LENGTH: Final = 1000
"""Characters of a failure's text that histories keep."""
_MAX_CHAIN_LENGTH: Final = 2000
"""Characters of an error and its causes together that pass unchanged."""


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
        moved = isinstance(refusal, ChampionMovedError)
        # Without the cause: the message is complete, and histories keep every byte for long.
        raise ApplicationError(
            shorten_failure(str(refusal)),
            type=CHAMPION_MOVED_TYPE if moved else REFUSED_TYPE,
            non_retryable=True,
        ) from None
    except ValueError as breach:
        raise ApplicationError(
            shorten_failure(str(breach)), type=CONTRACT_BREACH_TYPE, non_retryable=True
        ) from None
    except FailureError:
        raise
    except Exception as error:
        if _may_pass(error):
            raise
        text = shorten_failure(str(error))
        raise ApplicationError(text, type=type(error).__name__) from None


def shorten_failure(text: str) -> str:
    """Return the text without passwords, cut in the middle if it is too long for a history."""
    text = redact_passwords(text)
    if len(text) <= MAX_FAILURE_LENGTH:
        return text
    half = MAX_FAILURE_LENGTH // 2
    return f"{text[:half]} … {text[-half:]}"


def _may_pass(error: BaseException) -> bool:
    """Return whether the error and its causes are short, and hold no password."""
    texts = [str(each) for each in _list_causes(error)]
    short = sum(map(len, texts)) <= _MAX_CHAIN_LENGTH
    return short and all(text == redact_passwords(text) for text in texts)


def _list_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)

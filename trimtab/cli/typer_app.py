"""The `typer.Typer` that Trimtab's commands are registered with.

It fills the terminal with the paragraphs of a docstring, wherever the source breaks its lines, and
turns what a command returns or raises into an exit code.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from trimtab.cli.application import ApplicationCommand
from trimtab.cli.errors import explain_errors

Function = Callable[..., Any]


class TrimtabTyper(typer.Typer):
    """A `typer.Typer` whose commands return their exit code and explain their errors."""

    def command(  # type: ignore[override] # hands on whatever Typer takes
        self,
        name: str | None = None,
        *,
        one_means_drift: bool = False,
        needs_application: bool = True,
        **options: Any,  # noqa: ANN401 - whatever Typer takes
    ) -> Callable[[Function], Function]:
        """Register a command.

        Args:
            name: Its name; that of the function by default.
            one_means_drift: Whether its exit code 1 means drift, so that no error may have it.
            needs_application: Whether it needs more than the installed library.
            options: Options of `typer.Typer.command`.
        """
        register = super().command

        def add(function: Function) -> Function:
            known = {"help": join_paragraph_lines(function.__doc__ or ""), **options}
            if needs_application:
                known["cls"] = ApplicationCommand
            register(name, **known)(_exit_with_result(function, one_means_drift=one_means_drift))
            return function

        return add


def join_paragraph_lines(text: str) -> str:
    """Return the text without the line breaks inside its paragraphs."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _exit_with_result(function: Function, *, one_means_drift: bool) -> Function:
    """Return the function as a command: what it returns is the exit code, None for 0."""

    @wraps(function)
    def run(*args: object, **options: object) -> None:
        with explain_errors(one_means_drift=one_means_drift):
            code = function(*args, **options)
        raise typer.Exit(code or 0)

    return run

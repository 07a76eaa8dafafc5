"""Help as it is read: paragraphs that fill the terminal, wherever the source breaks its lines."""

import inspect
from collections.abc import Callable
from typing import Any

import typer

from trimtab.cli.application import ApplicationCommand

Function = Callable[..., Any]


class CommandLine(typer.Typer):
    """A `typer.Typer` whose commands are helped by the paragraphs of their docstrings."""

    def command(  # type: ignore[override] # hands on whatever Typer takes
        self,
        name: str | None = None,
        *,
        needs_application: bool = True,
        **options: Any,  # noqa: ANN401 - as above
    ) -> Callable[[Function], Function]:
        """Register a command as Typer does; the installed library alone runs few of them."""
        register = super().command

        def add(function: Function) -> Function:
            told = {"help": in_paragraphs(function.__doc__ or ""), **options}
            if needs_application:
                told["cls"] = ApplicationCommand
            return register(name, **told)(function)

        return add


def in_paragraphs(text: str) -> str:
    """Without the line breaks inside of paragraphs."""
    parts = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in parts)

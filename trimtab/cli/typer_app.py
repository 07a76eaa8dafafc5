"""Help as it is read: paragraphs that fill the terminal, wherever the source breaks its lines."""

import inspect
from collections.abc import Callable
from typing import Any

import typer

Function = Callable[..., Any]


class CommandLine(typer.Typer):
    """A `typer.Typer` whose commands are helped by the paragraphs of their docstrings."""

    def command(  # type: ignore[override] # hands on whatever Typer takes
        self,
        name: str | None = None,
        **options: Any,  # noqa: ANN401 - as above
    ) -> Callable[[Function], Function]:
        """As Typer's."""
        register = super().command

        def add(function: Function) -> Function:
            told = {"help": in_paragraphs(function.__doc__ or ""), **options}
            return register(name, **told)(function)

        return add


def in_paragraphs(text: str) -> str:
    """Without the line breaks inside of paragraphs."""
    parts = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in parts)

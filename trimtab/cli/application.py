"""What the installed library says where a command needs the application.

The wheel holds the package `trimtab` alone: it compares tables. All other commands need the rooms,
the configuration and the packages of the source checkout.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import typer
from typer.core import TyperCommand

from trimtab.cli.errors import ExitCode
from trimtab.runtime.paths import SHIPPED, install_command

_SIGNS_OF_A_CHECKOUT: Final = ("worker.py", "starter.py", "conf/base/trimtab.yml")
_PACKAGES: Final = ("temporalio", "mlflow", "kedro", "chromadb", "redis", "structlog")
"""Packages of the application, of which none is the library's."""


class ApplicationCommand(TyperCommand):
    """A command of the application: checked for before its arguments are, but not for its help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer hides its type
        """Parse the arguments, or exit as `require_application` does."""
        if not (ctx.resilient_parsing or set(args) & set(ctx.help_option_names)):
            require_application()
        return super().parse_args(ctx, args)


def require_application() -> None:
    """Exit with code 2 and one sentence on standard error where the application is not there."""
    if fault := find_missing_application(SHIPPED):
        typer.echo(fault, err=True)
        raise typer.Exit(ExitCode.BAD_INPUT)


def find_missing_application(checkout: Path) -> str:
    """Return how to get the application that stands in a folder; empty where it is all there."""
    if not all((checkout / sign).is_file() for sign in _SIGNS_OF_A_CHECKOUT):
        return (
            "This command needs the application, which is the source checkout of Trimtab:"
            " run `make demo` in it."
        )
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        return (
            f"This command needs the application's packages ({', '.join(missing)} not installed):"
            f" run `{install_command()}`."
        )
    return ""

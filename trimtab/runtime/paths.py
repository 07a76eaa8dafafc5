"""Locates what Trimtab ships with and what is the user's, and says how commands are typed."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

SHIPPED = Path(__file__).resolve().parents[2]
"""The checkout: holds `conf/base`, `knowledge` and `data`."""
LAUNCHER_VARIABLE: Final = "_TRIMTAB_LAUNCHER"
"""Environment variable in which `bin/trimtab` passes on the path that it was called by."""


def shipped_conf() -> Path:
    """Return the folder of Trimtab's own configuration, which is never written to."""
    return SHIPPED / "conf"


def local_conf() -> Path:
    """Return the folder of the user's configuration: `conf/local` of the working directory."""
    return Path.cwd() / "conf" / "local"


def shipped_knowledge() -> Path:
    """Return the folder of the shipped runbooks and past incidents, in Markdown."""
    return SHIPPED / "knowledge"


def local_knowledge() -> Path:
    """Return the folder of the user's own runbooks, which need not exist."""
    return local_conf() / "knowledge"


def knowledge_folders() -> tuple[Path, ...]:
    """Return the folders that the knowledge base is built from, the shipped one first."""
    ours, yours = shipped_knowledge(), local_knowledge()
    return (ours, yours) if yours.is_dir() else (ours,)


def command_prefix() -> str:
    """Return how to type `trimtab` in the user's shell, quoted where the shell needs it.

    That is the path of `bin/trimtab` as it was called, so that a printed command can be pasted
    into the same shell, or plain `trimtab` where the PATH leads to this very environment. Whoever
    started neither gets the full path of the environment's own script.
    """
    script = Path(sys.executable).with_name("trimtab")
    launcher = os.environ.get(LAUNCHER_VARIABLE)
    if _is_on_path("trimtab", script) or not (launcher or script.exists()):
        return "trimtab"
    if launcher and Path(launcher).exists():
        return shlex.quote(launcher)
    return shlex.quote(str(_launcher("trimtab") if launcher else script))


def format_command(*arguments: str) -> str:
    """Return a command of Trimtab as it is typed in the user's shell, quoted where needed."""
    return " ".join([command_prefix(), *map(shlex.quote, arguments)])


def temporal_command() -> str:
    """Return how to type `temporal` in any folder of the user's shell, quoted for the shell.

    That is the full path of this environment's binary, or plain `temporal` where the PATH leads to
    that binary or the environment has none.
    """
    binary = Path(sys.executable).with_name("temporal")
    if _is_on_path("temporal", binary) or not binary.exists():
        return "temporal"
    return shlex.quote(str(binary))


def install_command() -> str:
    """Return the command that installs this checkout's environment, from any folder."""
    return f"make -C {shlex.quote(str(SHIPPED))} environment"


def add_command(requirements: Iterable[str]) -> str:
    """Return the command that adds packages to this checkout's environment, from any folder."""
    words = " ".join(map(shlex.quote, requirements))  # the Makefile's own shell reads them
    packages = shlex.quote(f"PACKAGES={words}")
    return f"make -C {shlex.quote(str(SHIPPED))} add {packages}"


def _is_on_path(program: str, script: Path) -> bool:
    """Return whether the PATH's first program of that name runs this environment's script."""
    found = shutil.which(program)
    ours = {script.resolve(), _launcher(program).resolve()}
    return found is not None and Path(found).resolve() in ours


def _launcher(program: str) -> Path:
    return SHIPPED / "bin" / program

"""The project's own files, as the architecture tests read them."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = "trimtab"
APPLICATION = ("policies", "activities", "agents", "workflows")
"""The customer's rooms, which stand on the library."""
FRONT_DOORS = ("worker", "starter")
EVALUATION = "evals"
"""The room of the labelled incidents, above the application."""
GENERATED = {"uv.lock"}
"""Written by a tool: nobody's words."""


@dataclass(frozen=True)
class Module:
    """One Python file of the rooms or a front door."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Dotted, as it is imported."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """The room of the architecture: `workflows`, or `contracts` for `trimtab.contracts`."""
        parts = [*self.name.split("."), ""]
        return parts[1] if parts[0] == LIBRARY else parts[0]

    @property
    def tree(self) -> ast.Module:
        """Parsed."""
        return ast.parse(self.text, filename=str(self.path))


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file that git tracks, or would if it were added now."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    paths = (ROOT / name for name in listing.stdout.split("\0") if name)
    return tuple(sorted(path for path in set(paths) if path.is_file()))


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the library, the application and the front doors."""
    return tuple(
        Module(path=path, text=path.read_text())
        for path in tracked_files()
        if path.suffix == ".py"
        and (
            path.relative_to(ROOT).parts[0] in (LIBRARY, EVALUATION, *APPLICATION)
            or path.relative_to(ROOT).with_suffix("").as_posix() in FRONT_DOORS
        )
    )


def rooms(*names: str) -> tuple[Module, ...]:
    """The modules of the named rooms."""
    return tuple(module for module in modules() if module.room in names)

"""The wheel, built offline, and installed by plain pip into an environment of its own."""

import importlib.metadata
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

INSTALLERS = {"pip", "setuptools"}
"""What a fresh environment holds already."""
_OF_THIS_ENVIRONMENT = ("PYTHON", "VIRTUAL_ENV", "UV_", "TRIMTAB_", "_TRIMTAB_", "MLFLOW_")


@dataclass(frozen=True)
class BareEnvironment:
    """An environment outside of the checkout, and an empty folder to work in."""

    root: Path
    folder: Path

    @property
    def python(self) -> Path:
        return self.root / "bin" / "python"

    @property
    def packages(self) -> Path:
        (path,) = self.root.glob("lib/python3*/site-packages")
        return path

    def run(self, *command: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, or an absolute one, in the empty folder."""
        return subprocess.run(
            [self.root / "bin" / command[0], *command[1:]],
            cwd=self.folder, env=plain_environment(), check=False, capture_output=True, text=True,
            timeout=timeout,
        )  # fmt: skip

    def distributions(self) -> list[importlib.metadata.Distribution]:
        return list(importlib.metadata.distributions(path=[str(self.packages)]))


def plain_environment() -> dict[str, str]:
    """The environment's variables without those of Python, of uv and of ours."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OF_THIS_ENVIRONMENT)
    }
    return {**kept, "PATH": "/usr/bin:/bin"}


def build_wheel(folder: Path) -> Path:
    """Build the wheel as a publisher would, but with the build backend of this environment."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def install_wheel(wheel: Path, folder: Path) -> BareEnvironment:
    """Install the wheel and what it depends on, in the versions of this environment.

    Skips the test where no package index answers, and fails it in CI.
    """
    bare = BareEnvironment(folder / "environment", folder / "empty")
    bare.folder.mkdir()
    subprocess.run([sys.executable, "-m", "venv", bare.root], check=True, timeout=120)
    versions = folder / "constraints.txt"
    versions.write_text(
        "".join(
            f"{each.metadata['Name']}=={each.version}\n"
            for each in importlib.metadata.distributions()
            if each.metadata["Name"] != "trimtab"
        )
    )
    done = bare.run(
        "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", versions, wheel,
        timeout=280,
    )  # fmt: skip
    if done.returncode and os.environ.get("CI") != "true" and "NewConnectionError" in done.stderr:
        pytest.skip("no package index answers, and installing the wheel needs one")
    assert done.returncode == 0, done.stderr
    return bare

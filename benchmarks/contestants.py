"""Who is timed, in an environment of its own, and what a child process took: seconds and memory."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

SCRIPTS: Final = Path(__file__).parent / "contest"
TRIMTAB: Final = "trimtab"
FLOOR: Final = "one DuckDB pass"
_OFTEN: Final = 20.0
"""What takes longer as a whole, in seconds, is measured once."""
_REPEATS: Final = 3
_UNWATCHED: Final = {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"}
"""Peers that report their use would be timed waiting for the network."""


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One way to compare two Parquet files."""

    name: str
    script: str
    """In `contest/`: times the work inside its process."""
    environment: str = ""
    """Name of its environment; none for Trimtab's own."""
    packages: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    """What a person would type instead of the script, when the whole process is timed."""


CONTESTANTS: Final = (
    Contestant(
        name=TRIMTAB,
        script="with_trimtab.py",
        command=(str(Path(sys.executable).parent / "trimtab"), "compare"),
    ),
    Contestant(name=FLOOR, script="with_duckdb.py"),
    Contestant(
        name="scipy loop",
        script="with_scipy.py",
        environment="scipy",
        packages=("scipy==1.17.1", "pandas==3.1.1", "pyarrow==26.0.1"),
    ),
    Contestant(
        name="NannyML",
        script="with_nannyml.py",
        environment="nannyml",
        # It does not say that it needs statsmodels, nor that it breaks with pandas 3.
        packages=("nannyml==0.13.1", "statsmodels", "setuptools", "pandas<3", "pyarrow"),
    ),
    Contestant(
        name="Evidently",
        script="with_evidently.py",
        environment="evidently",
        packages=("evidently==0.7.23", "pandas<3", "pyarrow"),
    ),
    Contestant(
        name="Evidently, KS and chi2",
        script="with_evidently_ks.py",
        environment="evidently",
        packages=("evidently==0.7.23", "pandas<3", "pyarrow"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one contestant took for two tables."""

    inside: float | None = None
    """Seconds in its own process, imports left out; the median where it was repeated."""
    whole: float | None = None
    """Seconds of the whole process, from start to end."""
    megabytes: float | None = None
    """Peak resident memory of the whole process."""
    fault: str = ""
    """Why there are no figures: "> 300 s", "out of memory (> 16 GB)", or what it said."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a child may use."""

    seconds: float
    gigabytes: float


@dataclass(frozen=True, kw_only=True)
class Ended:
    """One child process."""

    seconds: float
    megabytes: float
    code: int
    said: str
    late: bool


def prepared(contestant: Contestant, cache: Path) -> Path:
    """The Python of its environment, made on first use."""
    if not contestant.environment:
        return Path(sys.executable)
    folder = cache / contestant.environment
    python = folder / "bin" / "python"
    ready = folder / "ready"
    wanted = "\n".join(contestant.packages)
    if ready.is_file() and ready.read_text() == wanted:
        return python
    uv = shutil.which("uv")
    make = [uv, "venv", "--quiet", "--clear"] if uv else [sys.executable, "-m", "venv", "--clear"]
    install = [uv, "pip", "install", "--quiet", "--python", str(python)] if uv else [
        str(python), "-m", "pip", "install", "--quiet",
    ]  # fmt: skip
    chosen = ["--python", sys.executable] if uv else []
    subprocess.run([*make, *chosen, str(folder)], check=True)  # noqa: S603 - ours
    subprocess.run([*install, *contestant.packages], check=True)  # noqa: S603 - ours
    ready.write_text(wanted)
    return python


def measured(contestant: Contestant, python: Path, *, folder: Path, bounds: Bounds) -> Measured:
    """Its time and memory on the tables in a folder."""
    tables = [str(folder / f"{side}.parquet") for side in ("reference", "current")]
    script = [str(python), str(SCRIPTS / contestant.script), *tables]
    command = [*contestant.command, *tables] if contestant.command else [*script, "1"]
    first = run(command, bounds)
    if fault := _fault(first, contestant, bounds):
        return Measured(fault=fault)
    whole = [first]
    if first.seconds < _OFTEN:
        whole += [run(command, bounds) for _ in range(_REPEATS - 1)]
    again = contestant.command or first.seconds < _OFTEN
    inside = run([*script, str(_REPEATS)], bounds) if again else first
    if fault := _fault(inside, contestant, bounds):
        return Measured(fault=fault)
    return Measured(
        inside=json.loads(inside.said.splitlines()[-1])["seconds"],
        whole=sorted(each.seconds for each in whole)[len(whole) // 2],
        megabytes=max(each.megabytes for each in whole),
    )


def _fault(ended: Ended, contestant: Contestant, bounds: Bounds) -> str:
    if ended.late:
        return f"> {bounds.seconds:.0f} s"
    fine = (0, 1) if contestant.command else (0,)
    if ended.code in fine:
        return ""
    if ended.code == -signal.SIGKILL or "MemoryError" in ended.said or "alloc" in ended.said:
        return f"out of memory (> {bounds.gigabytes:.0f} GB)"
    return f"failed: {ended.said.strip().splitlines()[-1]:.80}" if ended.said.strip() else "failed"


def run(command: Sequence[str], bounds: Bounds) -> Ended:
    """A child process until its end or its bounds."""
    with TemporaryFile() as said:
        start = time.perf_counter()
        child = subprocess.Popen(  # noqa: S603 - ours
            command,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **_UNWATCHED},
        )
        most = int(bounds.gigabytes * 2**30)
        resource.prlimit(child.pid, resource.RLIMIT_AS, (most, most))
        late = False
        try:
            while not (waited := os.wait4(child.pid, os.WNOHANG))[0]:
                if not late and time.perf_counter() - start > bounds.seconds:
                    late = True
                    os.killpg(child.pid, signal.SIGKILL)
                time.sleep(0.002)
        except KeyboardInterrupt:
            os.killpg(child.pid, signal.SIGKILL)
            os.wait4(child.pid, 0)
            raise
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(waited[1])
        said.seek(0)
        return Ended(
            seconds=seconds,
            megabytes=waited[2].ru_maxrss / 1024,
            code=child.returncode,
            said=said.read().decode(errors="replace"),
            late=late,
        )

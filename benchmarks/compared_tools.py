"""Lists the tools that are compared, and measures the time and memory of a child process."""

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

SCRIPTS: Final = Path(__file__).parent / "tool_scripts"
TRIMTAB: Final = "trimtab"
FLOOR: Final = "one DuckDB pass"
_MAX_SECONDS_FOR_REPEATS: Final = 20.0
"""Seconds of a whole process from which it is measured once."""
_REPEATS: Final = 3
_POLL_SECONDS: Final = 0.002
_NO_USAGE_REPORTS: Final = {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"}
"""Environment that turns usage reports off: waiting for the network must not be timed."""


@dataclass(frozen=True, kw_only=True)
class ComparedTool:
    """One way to compare two Parquet files."""

    name: str
    script: str
    """File in `tool_scripts/` that times the work inside its process."""
    environment: str = ""
    """Name of its virtual environment; empty for Trimtab's own."""
    packages: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    """Command that a person would type; it is run instead of the script for the whole process."""


COMPARED_TOOLS: Final = (
    ComparedTool(
        name=TRIMTAB,
        script="run_trimtab.py",
        command=(str(Path(sys.executable).parent / "trimtab"), "compare"),
    ),
    ComparedTool(name=FLOOR, script="run_duckdb.py"),
    ComparedTool(
        name="scipy loop",
        script="run_scipy.py",
        environment="scipy",
        packages=("scipy==1.17.1", "pandas==3.1.1", "pyarrow==26.0.1"),
    ),
    ComparedTool(
        name="NannyML",
        script="run_nannyml.py",
        environment="nannyml",
        # NannyML needs statsmodels and breaks with pandas 3, but declares neither.
        packages=("nannyml==0.13.1", "statsmodels", "setuptools", "pandas<3", "pyarrow"),
    ),
    ComparedTool(
        name="Evidently",
        script="run_evidently.py",
        environment="evidently",
        packages=("evidently==0.7.23", "pandas<3", "pyarrow"),
    ),
    ComparedTool(
        name="Evidently, KS and chi2",
        script="run_evidently_ks.py",
        environment="evidently",
        packages=("evidently==0.7.23", "pandas<3", "pyarrow"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class ToolTiming:
    """Time and memory of one tool on two tables."""

    in_process: float | None = None
    """Seconds inside its process, without imports; the median of several runs."""
    whole_process: float | None = None
    """Seconds of the whole process, from start to end."""
    megabytes: float | None = None
    """Peak resident memory of the whole process."""
    failure: str = ""
    """Why there are no figures: "> 300 s", "out of memory (> 16 GB)", or an error message."""


@dataclass(frozen=True, kw_only=True)
class ProcessLimits:
    """Time and address space that a child process may use."""

    seconds: float
    gigabytes: float


@dataclass(frozen=True, kw_only=True)
class FinishedProcess:
    """Figures and output of a child process that has ended."""

    seconds: float
    megabytes: float
    code: int
    output: str
    timed_out: bool


def find_cache() -> Path:
    """Return the folder of environments and tables, which outlive a run."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "trimtab" / "benchmarks"


def prepare_environment(tool: ComparedTool, cache: Path) -> Path:
    """Return the Python of the tool's environment, which is created on first use."""
    if not tool.environment:
        return Path(sys.executable)
    folder = cache / tool.environment
    python = folder / "bin" / "python"
    ready = folder / "ready"
    wanted = "\n".join(tool.packages)
    if ready.is_file() and ready.read_text() == wanted:
        return python
    uv = shutil.which("uv")
    make = [uv, "venv", "--quiet", "--clear"] if uv else [sys.executable, "-m", "venv", "--clear"]
    install = [uv, "pip", "install", "--quiet", "--python", str(python)] if uv else [
        str(python), "-m", "pip", "install", "--quiet",
    ]  # fmt: skip
    chosen = ["--python", sys.executable] if uv else []
    subprocess.run([*make, *chosen, str(folder)], check=True)
    subprocess.run([*install, *tool.packages], check=True)
    ready.write_text(wanted)
    return python


def measure_tool(
    tool: ComparedTool, python: Path, *, folder: Path, limits: ProcessLimits
) -> ToolTiming:
    """Measure a tool's time and memory on the two tables in a folder."""
    tables = [str(folder / f"{side}.parquet") for side in ("reference", "current")]
    script = [str(python), str(SCRIPTS / tool.script), *tables]
    command = [*tool.command, *tables] if tool.command else [*script, "1"]
    first = run_limited(command, limits)
    if failure := _describe_failure(first, tool, limits):
        return ToolTiming(failure=failure)
    whole = [first]
    if first.seconds < _MAX_SECONDS_FOR_REPEATS:
        whole += [run_limited(command, limits) for _ in range(_REPEATS - 1)]
    is_repeated = tool.command or first.seconds < _MAX_SECONDS_FOR_REPEATS
    inside = run_limited([*script, str(_REPEATS)], limits) if is_repeated else first
    if failure := _describe_failure(inside, tool, limits):
        return ToolTiming(failure=failure)
    return ToolTiming(
        in_process=json.loads(inside.output.splitlines()[-1])["seconds"],
        whole_process=sorted(each.seconds for each in whole)[len(whole) // 2],
        megabytes=max(each.megabytes for each in whole),
    )


def _describe_failure(process: FinishedProcess, tool: ComparedTool, limits: ProcessLimits) -> str:
    """Return why a process gave no figures; empty if it did."""
    if process.timed_out:
        return f"> {limits.seconds:.0f} s"
    accepted = (0, 1) if tool.command else (0,)
    if process.code in accepted:
        return ""
    lines = process.output.strip().splitlines()
    if (
        process.code == -signal.SIGKILL
        or "MemoryError" in process.output
        or "alloc" in process.output
    ):
        return f"out of memory (> {limits.gigabytes:.0f} GB)"
    return f"failed: {lines[-1]:.80}" if lines else "failed"


def run_limited(command: Sequence[str], limits: ProcessLimits) -> FinishedProcess:
    """Run a child process until it ends or exceeds its limits."""
    with TemporaryFile() as output:
        start = time.perf_counter()
        child = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **_NO_USAGE_REPORTS},
        )
        max_bytes = int(limits.gigabytes * 2**30)
        resource.prlimit(child.pid, resource.RLIMIT_AS, (max_bytes, max_bytes))
        timed_out = False
        try:
            while not (waited := os.wait4(child.pid, os.WNOHANG))[0]:
                if not timed_out and time.perf_counter() - start > limits.seconds:
                    timed_out = True
                    os.killpg(child.pid, signal.SIGKILL)
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            os.killpg(child.pid, signal.SIGKILL)
            os.wait4(child.pid, 0)
            raise
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(waited[1])
        output.seek(0)
        return FinishedProcess(
            seconds=seconds,
            megabytes=waited[2].ru_maxrss / 1024,
            code=child.returncode,
            output=output.read().decode(errors="replace"),
            timed_out=timed_out,
        )

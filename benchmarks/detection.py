"""Measures time and memory of comparing two tables, beside other tools and a lower bound.

`.venv/bin/python benchmarks/detection.py` makes tables of 20 columns with up to ten million rows,
and one of 1,000 columns, gives every other tool an environment of its own, and prints tables in
Markdown. The lower bound ("floor") is one DuckDB pass over each file that only counts. Ctrl-C ends
all processes.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

import typer
from compared_tools import (
    COMPARED_TOOLS,
    FLOOR,
    TRIMTAB,
    ComparedTool,
    ProcessLimits,
    ToolTiming,
    find_cache,
    measure_tool,
    prepare_environment,
)
from rich.console import Console

_DEFAULT_COLUMNS: Final = 20
_MULTIPLIERS: Final = {"k": 1_000, "m": 1_000_000}
_TABLE_SCRIPT: Final = Path(__file__).with_name("detection_tables.py")

Timings = Mapping[str, ToolTiming]
"""Name of a tool to its timing."""


def main(
    sizes: Annotated[
        str, typer.Option(help="Rows per side, or rows x columns; the default is 20 columns.")
    ] = "10k,100k,1m,10m,100kx1000",
    limit: Annotated[float, typer.Option(help="Seconds that each process may take.")] = 300.0,
    memory: Annotated[
        float, typer.Option(help="Gigabytes of address space that each process may use.")
    ] = 16.0,
    only: Annotated[
        str, typer.Option(help="Names of the tools to run, separated by commas; empty for all.")
    ] = "",
    cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps environments and tables.")
    ] = None,
) -> None:
    """Print a table for each size, ready for benchmarks/RESULTS.md."""
    console = Console(stderr=True)
    home = cache or find_cache()
    chosen = [each for each in COMPARED_TOOLS if not only or each.name in only.split(",")]
    if not chosen:
        names = ", ".join(each.name for each in COMPARED_TOOLS)
        console.print(f"--only {only!r} names no tool: choose from {names}")
        raise typer.Exit(2)
    for size in sizes.split(","):
        rows, columns = _parse_size(size)
        with console.status(f"making {rows:,} rows of {columns} columns"):
            folder = _ensure_tables(home / "tables" / f"{rows}x{columns}", rows, columns)
        timings = {}
        for each in chosen:
            timings[each.name] = _measure(
                each, home, folder, ProcessLimits(seconds=limit, gigabytes=memory), console
            )
        print(f"\n{rows:,} rows a side, {columns} columns:\n")
        print("\n".join(_format_table(timings)), flush=True)


def _measure(
    tool: ComparedTool, home: Path, folder: Path, limits: ProcessLimits, console: Console
) -> ToolTiming:
    with console.status(f"{folder.name}: {tool.name}") as status:
        status.update(f"{folder.name}: making the environment of {tool.name}")
        python = prepare_environment(tool, home)
        status.update(f"{folder.name}: {tool.name}")
        timing = measure_tool(tool, python, folder=folder, limits=limits)
    console.print(f"{folder.name}: {tool.name}: {timing.failure or f'{timing.in_process:.3f} s'}")
    return timing


def _format_table(timings: Timings) -> Iterator[str]:
    yield "| | in process, s | / Trimtab | whole process, s | / Trimtab | peak MB |"
    yield "|---|---|---|---|---|---|"
    ours = timings.get(TRIMTAB, ToolTiming())
    for name, each in timings.items():
        if each.failure:
            yield f"| {name} | {each.failure} | | | | |"
            continue
        inside = _format_ratio(each.in_process, ours.in_process)
        whole = _format_ratio(each.whole_process, ours.whole_process)
        label = name if name != FLOOR else f"floor: {name}"
        yield (
            f"| {label} | {each.in_process:.3f} | {inside} | {each.whole_process:.2f} | {whole} "
            f"| {each.megabytes:.0f} |"
        )


def _format_ratio(theirs: float | None, ours: float | None) -> str:
    return f"{theirs / ours:.2f}" if theirs and ours else ""


def _parse_size(text: str) -> tuple[int, int]:
    """Return rows and columns: 100,000 and 1,000 for `100kx1000`."""
    rows, _, columns = text.strip().lower().partition("x")
    multiplier = _MULTIPLIERS.get(rows[-1:], 1)
    try:
        return int(rows.rstrip("km")) * multiplier, int(columns or _DEFAULT_COLUMNS)
    except ValueError:
        msg = f"--sizes {text!r}: write rows such as 10k or 1m, or rows x columns such as 100kx1000"
        raise typer.BadParameter(msg) from None


def _ensure_tables(folder: Path, rows: int, columns: int) -> Path:
    """Write the tables in a process of its own, unless the folder holds them already."""
    if not (folder / "edges.json").is_file():
        command = [sys.executable, str(_TABLE_SCRIPT), str(folder), str(rows), str(columns)]
        subprocess.run(command, check=True)
    return folder


if __name__ == "__main__":
    typer.run(main)

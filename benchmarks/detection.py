"""Times the comparison of two tables, and its memory, beside its peers and beside the floor.

`.venv/bin/python benchmarks/detection.py` makes tables of 20 columns with up to ten million rows,
and one of 1,000 columns, gives every peer an environment of its own, and prints tables in Markdown.
The floor is one DuckDB pass over each file that only counts. Ctrl-C ends all of it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

import typer
from contestants import (
    CONTESTANTS,
    FLOOR,
    TRIMTAB,
    Bounds,
    Contestant,
    Measured,
    measured,
    prepared,
)
from rich.console import Console

_NARROW: Final = 20
_LETTERS: Final = {"k": 1_000, "m": 1_000_000}
_MAKER: Final = Path(__file__).with_name("detection_tables.py")

Results = Mapping[str, Measured]
"""By the contestant's name."""


def main(
    sizes: Annotated[
        str, typer.Option(help="Rows a side, or rows x columns; 20 columns where none are told.")
    ] = "10k,100k,1m,10m,100kx1000",
    limit: Annotated[float, typer.Option(help="Seconds that each may take.")] = 300.0,
    memory: Annotated[
        float, typer.Option(help="Gigabytes of address space that each may take.")
    ] = 16.0,
    only: Annotated[
        str, typer.Option(help="Names of contestants that run, parted by commas; or all.")
    ] = "",
    cache: Annotated[
        Path | None, typer.Option(help="Where environments and tables are kept.")
    ] = None,
) -> None:
    """Print a table for each size, ready for benchmarks/RESULTS.md."""
    console = Console(stderr=True)
    home = cache or _cache()
    chosen = [each for each in CONTESTANTS if not only or each.name in only.split(",")]
    if not chosen:
        console.print(f"--only {only!r}: there are {', '.join(each.name for each in CONTESTANTS)}")
        raise typer.Exit(2)
    for size in sizes.split(","):
        rows, columns = _size(size)
        with console.status(f"making {rows:,} rows of {columns} columns"):
            folder = _tables(home / "tables" / f"{rows}x{columns}", rows, columns)
        results = {}
        for each in chosen:
            results[each.name] = _measured(
                each, home, folder, Bounds(seconds=limit, gigabytes=memory), console
            )
        print(f"\n{rows:,} rows a side, {columns} columns:\n")
        print("\n".join(_table(results)), flush=True)


def _measured(
    contestant: Contestant, home: Path, folder: Path, bounds: Bounds, console: Console
) -> Measured:
    with console.status(f"{folder.name}: {contestant.name}") as status:
        status.update(f"{folder.name}: making the environment of {contestant.name}")
        python = prepared(contestant, home)
        status.update(f"{folder.name}: {contestant.name}")
        found = measured(contestant, python, folder=folder, bounds=bounds)
    console.print(f"{folder.name}: {contestant.name}: {found.fault or f'{found.inside:.3f} s'}")
    return found


def _table(results: Results) -> Iterator[str]:
    yield "| | in process, s | / Trimtab | whole process, s | / Trimtab | peak MB |"
    yield "|---|---|---|---|---|---|"
    ours = results.get(TRIMTAB, Measured())
    for name, each in results.items():
        if each.fault:
            yield f"| {name} | {each.fault} | | | | |"
            continue
        inside, whole = _ratio(each.inside, ours.inside), _ratio(each.whole, ours.whole)
        told = name if name != FLOOR else f"floor: {name}"
        yield (
            f"| {told} | {each.inside:.3f} | {inside} | {each.whole:.2f} | {whole} "
            f"| {each.megabytes:.0f} |"
        )


def _ratio(theirs: float | None, ours: float | None) -> str:
    return f"{theirs / ours:.2f}" if theirs and ours else ""


def _size(text: str) -> tuple[int, int]:
    """`100kx1000` as rows and columns."""
    rows, _, columns = text.strip().lower().partition("x")
    many = _LETTERS.get(rows[-1:], 1)
    try:
        return int(rows.rstrip("km")) * many, int(columns or _NARROW)
    except ValueError:
        msg = f"--sizes {text!r}: write rows such as 10k or 1m, or rows x columns such as 100kx1000"
        raise typer.BadParameter(msg) from None


def _tables(folder: Path, rows: int, columns: int) -> Path:
    """Made once, and whole, by a process of its own."""
    if not (folder / "edges.json").is_file():
        command = [sys.executable, str(_MAKER), str(folder), str(rows), str(columns)]
        subprocess.run(command, check=True)  # noqa: S603 - ours
    return folder


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "trimtab" / "benchmarks"


if __name__ == "__main__":
    typer.run(main)

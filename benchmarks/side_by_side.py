"""Computes the parts of a long benchmark in processes side by side, and keeps each that is done."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from threadpoolctl import threadpool_limits


@dataclass(frozen=True, kw_only=True)
class Part:
    """One computation; what it returns must fit into JSON."""

    name: str
    """Of the file that keeps what it found."""
    work: Callable[..., Any]
    """A function of a module."""
    arguments: dict[str, Any]


def computed(
    parts: Sequence[Part], *, workers: int, kept: Path | None, console: Console
) -> dict[str, Any]:
    """Part to what it found; what a file in `kept` holds is not computed again."""
    found = dict(_held(parts, kept))
    missing = [part for part in parts if part.name not in found]
    console.print(f"{len(found)} of {len(parts)} parts are known", highlight=False)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(_timed, part): part.name for part in missing}
        for future in as_completed(running):
            name = running[future]
            result, seconds = future.result()
            found[name] = result
            if kept:
                _keep(kept / f"{name}.json", result)
            done = f"{len(found)} of {len(parts)}: {name}, {seconds:.0f} s"
            console.print(done, highlight=False)
    return found


def _held(parts: Sequence[Part], kept: Path | None) -> Iterator[tuple[str, Any]]:
    if kept is None:
        return
    kept.mkdir(parents=True, exist_ok=True)
    for part in parts:
        file = kept / f"{part.name}.json"
        if file.exists():
            yield part.name, json.loads(file.read_text())


def _keep(file: Path, result: Any) -> None:  # noqa: ANN401 - whatever fits into JSON
    unfinished = file.with_suffix(".part")
    unfinished.write_text(json.dumps(result))
    unfinished.replace(file)


def _timed(part: Part) -> tuple[Any, float]:
    start = time.perf_counter()
    with threadpool_limits(1):  # processes side by side already
        result = part.work(**part.arguments)
    return result, time.perf_counter() - start

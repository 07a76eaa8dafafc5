"""Computes the parts of a long benchmark in parallel processes, and stores each finished part."""

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
class BenchmarkPart:
    """One computation, with a result that JSON can hold."""

    name: str
    """Name of the file that stores the result."""
    work: Callable[..., Any]
    """A function of a module, so that another process can import it."""
    arguments: dict[str, Any]


def compute_parts(
    parts: Sequence[BenchmarkPart], *, workers: int, store: Path | None, console: Console
) -> dict[str, Any]:
    """Return each part's result by its name.

    A result that the folder `store` holds is not computed again.
    """
    results = dict(_read_results(parts, store))
    missing = [part for part in parts if part.name not in results]
    console.print(f"{len(results)} of {len(parts)} parts are stored already", highlight=False)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(_run_timed, part): part.name for part in missing}
        for future in as_completed(running):
            name = running[future]
            result, seconds = future.result()
            results[name] = result
            if store:
                _write_result(store / f"{name}.json", result)
            done = f"{len(results)} of {len(parts)}: {name}, {seconds:.0f} s"
            console.print(done, highlight=False)
    return results


def _read_results(parts: Sequence[BenchmarkPart], store: Path | None) -> Iterator[tuple[str, Any]]:
    if store is None:
        return
    store.mkdir(parents=True, exist_ok=True)
    for part in parts:
        file = store / f"{part.name}.json"
        if file.exists():
            yield part.name, json.loads(file.read_text())


def _write_result(file: Path, result: Any) -> None:  # noqa: ANN401 - whatever fits into JSON
    unfinished = file.with_suffix(".part")
    unfinished.write_text(json.dumps(result))
    unfinished.replace(file)


def _run_timed(part: BenchmarkPart) -> tuple[Any, float]:
    start = time.perf_counter()
    with threadpool_limits(1):  # the processes run in parallel already
        result = part.work(**part.arguments)
    return result, time.perf_counter() - start

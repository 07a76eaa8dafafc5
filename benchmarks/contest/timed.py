"""Times one piece of work inside its own process, and tells how long it took as JSON.

Runs in every contestant's environment: the standard library is all it needs.
"""

import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

PATIENCE = 30.0
"""Seconds after which nothing is repeated."""


def timed(work: Callable[[Path, Path], object]) -> None:
    """`SCRIPT REFERENCE CURRENT REPEATS`: the median of so many runs, imports left out."""
    warnings.simplefilter("ignore")
    reference, current, repeats = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    taken: list[float] = []
    while len(taken) < repeats and sum(taken) < PATIENCE:
        start = perf_counter()
        work(reference, current)
        taken.append(perf_counter() - start)
    print(json.dumps({"seconds": median(taken), "runs": len(taken)}))
    sys.stdout.flush()
    os._exit(0)  # what a library leaves running is not part of the work

"""Times one piece of work inside its own process, and prints the result as JSON.

It runs in every tool's environment, so it needs the standard library only.
"""

import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

MAX_SECONDS = 30.0
"""Seconds after which the work is not repeated."""


def time_work(work: Callable[[Path, Path], object]) -> None:
    """Print the median time of several runs, without imports.

    The arguments of the process are REFERENCE CURRENT REPEATS.
    """
    warnings.simplefilter("ignore")
    reference, current, repeats = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    taken: list[float] = []
    while len(taken) < repeats and sum(taken) < MAX_SECONDS:
        start = perf_counter()
        work(reference, current)
        taken.append(perf_counter() - start)
    print(json.dumps({"seconds": median(taken), "runs": len(taken)}))
    sys.stdout.flush()
    os._exit(0)  # threads that a library leaves running are not part of the work

"""Limits the threads of scikit-learn: with small tables, threads wait for each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from threadpoolctl import ThreadpoolController

MIN_ROWS_FOR_THREADS: Final = 200_000
"""Rows from which more than one thread is faster than one."""


@contextmanager
def use_one_thread() -> Iterator[None]:
    """Use one thread inside the block."""
    with _find_thread_pools().limit(limits=1, user_api="openmp"):
        yield


@contextmanager
def limit_threads(rows: int) -> Iterator[None]:
    """Use one thread inside the block, unless there are enough rows for more."""
    limit = 1 if rows < MIN_ROWS_FOR_THREADS else None
    with _find_thread_pools().limit(limits=limit, user_api="openmp"):
        yield


@cache
def _find_thread_pools() -> ThreadpoolController:
    """Return the thread pools of the libraries that are loaded now; the search takes a while."""
    return ThreadpoolController()

"""Lets the reader of the output stop early, as `head` does."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ignore_broken_pipe() -> Iterator[None]:
    """Keep the exit code as it is when the reader of standard output has gone."""
    try:
        yield
    except (BrokenPipeError, SystemExit):  # Rich ends the process with 1 for a broken pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

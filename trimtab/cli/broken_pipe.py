"""Lets whoever reads the output stop when it likes, such as `head`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def readers_may_go() -> Iterator[None]:
    """A reader that has gone does not change the verdict."""
    try:
        yield
    except (BrokenPipeError, SystemExit):  # Rich ends the process with 1 for a broken pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""The environment as it was: MLflow, for one, writes its address there for later children."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def environment_kept() -> Iterator[None]:
    """What is put into the environment meanwhile ends with the block.

    Fixtures of a whole session need it too: what they leave, every later test inherits.
    """
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

"""A secret is made once and read by its owner only."""

import itertools
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from trimtab.files.secret_file import read_or_create_secret


def test_a_secret_is_made_on_first_use_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "a.key"

    first = read_or_create_secret(path, lambda: b"one")
    second = read_or_create_secret(path, lambda: b"two")

    assert (first, second) == (b"one", b"one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_callers_that_come_at_once_all_hold_the_same_secret(tmp_path: Path) -> None:
    numbers = itertools.count()
    path = tmp_path / "a.key"

    def make_secret() -> bytes:
        return str(next(numbers)).encode()

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: read_or_create_secret(path, make_secret), range(64)))

    assert len(found) == 1

"""Trimtab itself, without the start of a process."""

from pathlib import Path

from timed import timed

from trimtab.comparison.compare_tables import CompareRequest, compare_tables


def work(reference: Path, current: Path) -> object:
    """What the command line calls."""
    return compare_tables(CompareRequest(str(reference), str(current)))


if __name__ == "__main__":
    timed(work)

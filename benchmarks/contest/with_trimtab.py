"""Trimtab itself, without the start of a process."""

from pathlib import Path

from timed import timed

from trimtab.comparison.comparison import Question, compare_tables


def work(reference: Path, current: Path) -> object:
    """What the command line calls."""
    return compare_tables(Question(str(reference), str(current)))


if __name__ == "__main__":
    timed(work)

"""Trimtab's own comparison of two files, without the start of a process."""

from pathlib import Path

from timing import time_work

from trimtab.comparison.compare_tables import CompareRequest, compare_tables


def compare_files(reference: Path, current: Path) -> object:
    """Compare the files as the command line does."""
    return compare_tables(CompareRequest(str(reference), str(current)))


if __name__ == "__main__":
    time_work(compare_files)

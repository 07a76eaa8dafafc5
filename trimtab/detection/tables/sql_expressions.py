"""The parts of the selects by which DuckDB counts columns."""

from collections.abc import Iterator, Sequence
from typing import Final

from trimtab.detection.profiles.distinct_count import SKETCH_HASH_DIGITS
from trimtab.detection.tables.aggregates import (
    Asked,
    bits,
    cell,
    hash_steps,
    moments,
    part_of,
    presence,
    value_of,
    word_of,
)
from trimtab.detection.tables.column_types import double, literals

PARTED: Final = 256
"""Numbers that the digits make which part categories."""


def with_values(source: str, numeric: Sequence[Asked], words: Sequence[Asked]) -> str:
    """The source with each column as numbers or as words, and with what sketches are made of."""
    columns = [f"{value_of(each)} AS {each.name('v')}" for each in numeric]
    columns += [f"{presence(each)} AS {each.name('a')}" for each in numeric]
    columns += [f"{word_of(each)} AS {each.name('w')}" for each in words]
    steps = [", ".join(columns), *map(", ".join, zip(*_hashes(numeric), strict=True))]
    steps += [", ".join(_word_cells(words))]
    for step in filter(None, steps):
        source = f"(SELECT *, {step} FROM {source})"  # noqa: S608 - quoted names
    return source


def of_numbers(asked: Asked) -> Iterator[str]:
    """Aggregates of a column of numbers."""
    yield from moments(asked)
    if asked.edges:
        edges = f"CAST('{list(asked.edges)}' AS DOUBLE[])"  # exact, and planned in no time
        yield f"HISTOGRAM({asked.name('v')}, {edges}) AS {asked.name('bins')}"
    if asked.sketched:
        yield from bits(asked.name("p"), (asked.name("sl"), asked.name("sh")))


def of_words(asked: Asked) -> Iterator[str]:
    """Aggregates of a column of words."""
    word = asked.name("w")
    yield f"COUNT({word}) AS {asked.name('present')}"
    if asked.named is None:
        yield f"HISTOGRAM({word}) AS {asked.name('tally')}"
        return
    yield f"HISTOGRAM(CASE WHEN {_chosen(asked)} THEN {word} END) AS {asked.name('tally')}"


def of_others(asked: Asked) -> Iterator[str]:
    """Aggregates of a column of words of which not all are told apart."""
    yield from bits(asked.name("p"), (asked.name("sl"), asked.name("sh")))
    if asked.others > 1:
        digits = f"CAST('{list(range(PARTED))}' AS DOUBLE[])"
        yield f"HISTOGRAM({asked.name('q')}, {digits}) AS {asked.name('parted')}"


def among(value: str, ends: Sequence[tuple[float, float]]) -> str:
    """Whether it lies in one of the bins; a few comparisons each, where OR would make them all."""
    if len(ends) == 1:
        return f"{value} > {double(ends[0][0])} AND {value} <= {double(ends[0][1])}"
    half = len(ends) // 2
    left, right = among(value, ends[:half]), among(value, ends[half:])
    return f"CASE WHEN {value} <= {double(ends[half - 1][1])} THEN {left} ELSE {right} END"


def _hashes(numeric: Sequence[Asked]) -> list[tuple[str, str, str]]:
    return [hash_steps(each) for each in numeric if each.sketched]


def _word_cells(words: Sequence[Asked]) -> Iterator[str]:
    for each in words:
        if each.named is not None:
            part = (
                f"CAST(('0x' || SUBSTR(MD5({each.name('w')}), 1, {SKETCH_HASH_DIGITS})) AS BIGINT)"
            )
            hashed = f"(CAST({part} AS DOUBLE) / {double(16.0**SKETCH_HASH_DIGITS)})"
            yield f"{cell(hashed)} AS {each.name('p')}"
            digits = f"CAST(('0x' || {part_of(each.name('w'))}) AS INTEGER)"
            other = f"CASE WHEN NOT ({_chosen(each)}) THEN CAST({digits} AS DOUBLE) END"
            yield f"{other} AS {each.name('q')}"


def _chosen(asked: Asked) -> str:
    return f"{asked.name('w')} IN ({literals(asked.named)})" if asked.named else "FALSE"

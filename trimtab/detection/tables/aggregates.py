"""The SQL aggregates that make up a column's profile, and the profile read from their answers."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.binning import BinEdges, replace_sampled_deciles
from trimtab.detection.profiles.categories import BIN_HASH_DIGITS, CategoryBins, count_category_bins
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.distinct_count import (
    CELL_LOG_FACTOR,
    FIRST_HASH_OFFSET,
    HASH_FACTOR,
    SECOND_HASH_OFFSET,
    SKETCH_CELLS,
    compute_hash_range,
    encode_sketch,
    make_hash_grid,
    sketch_texts,
)
from trimtab.detection.profiles.window_profile import MAX_KNOWN_CATEGORIES, ColumnProfile
from trimtab.detection.tables.column_types import Stored, absent, double, number, quoted, word

HUGE: Final = 1e100
"""Magnitude from which numbers are made smaller before they are squared."""
SHRINK: Final = 2.0**-600
_HALF: Final = SKETCH_CELLS // 2

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """A column to be counted, and how."""

    place: int
    """Tells its aggregates from those of other columns."""
    column: Column
    stored: Stored | None
    """None where the table has no such column."""
    edges: tuple[float, ...] = ()
    cuts: tuple[int, ...] = ()
    spare: tuple[int, ...] = ()
    """Of edges that come from a sample: those that go when all is counted."""
    hashed_by: tuple[float, float] | None = None
    categories: tuple[str, ...] | None = None
    """Names to be counted; None where they are still to be chosen."""
    others: int = 1
    """Bins of all other categories."""
    seen: frozenset[str] | None = None
    """Categories that are not new; None where that is not known."""
    named: tuple[str, ...] | None = None
    """Where there are too many categories: the only ones to tell apart."""
    sketched: bool = True
    finite: bool = False
    """Whether to believe that no number is NaN or infinite; the mean or the deviation will tell."""
    wants_bins: bool = True
    """Whether bins or categories are still to be chosen."""

    @property
    def wants_edges(self) -> bool:
        """Whether edges are still to be chosen."""
        numeric = self.column.kind is FeatureKind.NUMERIC
        return numeric and self.wants_bins and self.stored is not None

    @property
    def scale(self) -> float:
        """By what numbers are multiplied before their moments are taken: a power of two."""
        ends = (*self.edges[:1], *self.edges[-1:])
        return SHRINK if any(abs(edge) > HUGE for edge in ends) else 1.0

    @property
    def middle(self) -> tuple[float, float] | None:
        """By what numbers are hashed."""
        return self.hashed_by or compute_hash_range(self.edges)

    def name(self, part: str) -> str:
        """An alias."""
        return f"{part}{self.place}"


def value_of(asked: Asked) -> str:
    """The column as a finite number."""
    if asked.stored is None:
        return "CAST(NULL AS DOUBLE)"
    if asked.finite and asked.stored is Stored.FLOAT:
        return f"CAST({quoted(asked.column.name)} AS DOUBLE)"
    return number(asked.column.name, asked.stored)


def word_of(asked: Asked) -> str:
    """The column as a category."""
    return (
        "CAST(NULL AS VARCHAR)" if asked.stored is None else word(asked.column.name, asked.stored)
    )


def presence(asked: Asked) -> str:
    """The column, NULL where it holds nothing: cheaper to count than a condition."""
    if asked.stored is None:
        return "CAST(NULL AS INTEGER)"
    column = quoted(asked.column.name)
    if asked.stored is Stored.FLOAT and not asked.finite:
        return f"CASE WHEN NOT {absent(asked.column.name, asked.stored)} THEN {column} END"
    return column


def moments(asked: Asked) -> Iterator[str]:
    """Aggregates over the value `v` and the presence `a` of a numeric column."""
    value, column = asked.name("v"), asked.column
    scaled = value if asked.scale == 1.0 else f"{value} * {double(asked.scale)}"
    yield f"COUNT(*) - COUNT({asked.name('a')}) AS {asked.name('absent')}"
    yield f"COUNT({value}) AS {asked.name('present')}"
    yield f"AVG({scaled}) AS {asked.name('mean')}"
    yield f"STDDEV_POP({scaled}) AS {asked.name('std')}"
    yield f"MIN({value}) AS {asked.name('low')}"
    yield f"MAX({value}) AS {asked.name('high')}"
    bounds = [(column.minimum, "<"), (column.maximum, ">")]
    beyond = [f"{value} {sign} {double(bound)}" for bound, sign in bounds if bound is not None]
    if beyond:
        outside = f"SUM(CASE WHEN {' OR '.join(beyond)} THEN 1 ELSE 0 END)"
        yield f"{outside} AS {asked.name('outside')}"


def hash_steps(asked: Asked) -> tuple[str, str, str]:
    """From the value `v` to the cell `p` of the sketch, through `s` and `m`; a SELECT each."""
    grid = make_hash_grid(asked.middle)
    value, scaled, mixed = asked.name("v"), asked.name("s"), asked.name("m")
    part = f"({scaled} - FLOOR({scaled}))"
    within = f"GREATEST(LEAST({value}, {double(grid.high)}), {double(grid.low)})"
    # LEAST and GREATEST pass over NULL
    spread = f"({within} - {double(grid.origin)}) * {double(grid.factor)}"
    return (
        f"CASE WHEN {value} IS NOT NULL THEN {spread} END AS {scaled}",
        (
            f"({part} + {double(FIRST_HASH_OFFSET)}) * ({part} + {double(SECOND_HASH_OFFSET)})"
            f" * {double(HASH_FACTOR)} AS {mixed}"
        ),
        f"{cell(f'({mixed} - FLOOR({mixed}))')} AS {asked.name('p')}",
    )


def cell(hashed: str) -> str:
    """The cell of a number in [0, 1)."""
    steps = f"FLOOR(LN({double(1.0)} - {hashed}) * {double(CELL_LOG_FACTOR)})"
    place = f"CAST(LEAST({steps}, {double(SKETCH_CELLS - 1.0)}) AS INTEGER)"
    return f"CASE WHEN {hashed} IS NOT NULL THEN {place} END"


def part_of(word: str) -> str:
    """The digits that part a category from others without a name."""
    start, many = BIN_HASH_DIGITS
    return f"SUBSTR(MD5({word}), {start}, {many})"


def bits(place: str, aliases: tuple[str, str], *, over: str = "") -> Iterator[str]:
    """The two words of a sketch, of cells in the column `place`."""
    one = "CAST(1 AS BIGINT)"
    low = f"CASE WHEN {place} < {_HALF} THEN {one} << {place} END"
    high = f"CASE WHEN {place} >= {_HALF} THEN {one} << ({place} - {_HALF}) END"
    yield f"BIT_OR({low}){over} AS {aliases[0]}"
    yield f"BIT_OR({high}){over} AS {aliases[1]}"


def numeric_profile(
    asked: Asked, answer: Answer, *, rows: int, counts: tuple[int, ...]
) -> ColumnProfile:
    """The profile that the aggregates tell."""
    present, gone = int(answer[asked.name("present")]), int(answer[asked.name("absent")] or 0)
    found: dict[str, Any] = {}
    if present:
        found = {
            "mean": _finite(answer[asked.name("mean")] / asked.scale),
            "std": _finite(answer[asked.name("std")] / asked.scale),
            "minimum": answer[asked.name("low")],
            "maximum": answer[asked.name("high")],
        }
    bins = BinEdges(asked.edges, asked.cuts, asked.spare)
    if asked.wants_edges:
        bins, counts = replace_sampled_deciles(bins, counts, answer.get(asked.name("near")) or ())
    return ColumnProfile(
        column=asked.column,
        rows=rows,
        nulls=rows - present,
        unreadable=rows - gone - present,
        edges=bins.edges,
        cuts=bins.cuts,
        counts=counts,
        hashed_by=asked.middle if asked.spare else asked.hashed_by,
        outside=int(answer.get(asked.name("outside")) or 0),
        sketch=_sketch(asked, answer),
        **found,
    )


@dataclass(frozen=True)
class Words:
    """What an engine tells of a column of words."""

    present: int
    tally: Mapping[str, int]
    """Values by category; of too many categories of some only."""
    parted: Mapping[str, int] | None = None
    """All other values, by the digits that part them."""
    sketch: str | None = None
    """None where the tally tells it."""
    once: int | None = None


def categorical_profile(asked: Asked, found: Words, *, rows: int) -> ColumnProfile:
    """The profile that a tally tells."""
    tally, present = found.tally, found.present
    whole = asked.named is None and len(tally) <= MAX_KNOWN_CATEGORIES
    bins = CategoryBins(asked.categories or (), asked.others)
    old = 0 if asked.seen is None else sum(n for name, n in tally.items() if name in asked.seen)
    return ColumnProfile(
        column=asked.column,
        rows=rows,
        nulls=rows - present,
        categories=bins.categories,
        others=bins.others,
        counts=count_category_bins(bins, tally, present=present, parted=found.parted),
        known=tuple(sorted(tally)) if whole else None,
        once=found.once if asked.wants_bins else None,
        unseen=0 if asked.seen is None else present - old,
        sketch=sketch_texts(tally) if found.sketch is None else found.sketch,
    )


def filled(place: int, name: str, stored: Stored = Stored.OTHER) -> str:
    """Whether a column holds any value; NaN is none where it is said to hold floats."""
    column = quoted(name)
    if stored is Stored.FLOAT:
        column = f"NULLIF({column}, CAST('NaN' AS DOUBLE))"
    return f"COUNT({column}) AS f{place}"


def _sketch(asked: Asked, answer: Answer) -> str:
    low, high = answer.get(asked.name("sl")), answer.get(asked.name("sh"))
    return encode_sketch(int(low or 0), int(high or 0)) if asked.sketched else ""


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None

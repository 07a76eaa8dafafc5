"""Puts drift of a stated size into calm windows, and counts how soon it is told."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from injections import INJECTIONS
from peers import evidently, raw_tests
from replay import Watched
from streams import dealt_census, read_census

PATIENCE: Final = 4
"""Windows that injected drift lasts."""


def catch(
    number: int, *, seed: int, repeats: int, census: Path | None, cache: Path, peers: bool
) -> dict[str, Any]:
    """One injection, in so many places of one stream."""
    injection = INJECTIONS[number]
    stream = dealt_census(read_census(census, cache), rows=2000, reference=10, seed=seed)
    watched = Watched(stream.spec, stream.table, start=stream.start)
    reference = watched.told(stream.rows(watched.span))
    pool = stream.table[stream.table["at"] >= watched.span.end].reset_index(drop=True)
    chance, shown = np.random.default_rng(seed), []
    found: dict[str, Any] = {"at_once": 0, "found": 0, "raw": 0, "delays": [], "repeats": repeats}
    for _ in range(repeats):
        first, told_of = int(chance.integers(len(stream.spans) - PATIENCE)), False
        for place in range(PATIENCE):
            span = stream.spans[first + place]
            rows = injection.apply(stream.rows(span).reset_index(drop=True), pool, chance)
            look = watched.look(rows, span)
            told_of |= look.finding is not None
            if place == 0:
                shown.append(watched.told(rows))
                found["at_once"] += told_of
                found["raw"] += raw_tests(reference, shown[-1]).any_column
            if look.announced:
                found["delays"].append(place + 1)
                break
        found["found"] += told_of
    verdicts = evidently(reference, shown, cache) if peers else []
    return {
        **found,
        "kind": injection.kind,
        "size": injection.size,
        "asked": len(verdicts),
        "any_column": sum(each.any_column for each in verdicts),
        "dataset": sum(each.dataset for each in verdicts),
    }

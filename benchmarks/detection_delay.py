"""Injects drift of a stated size into windows without drift, and counts how soon it is found."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from injections import INJECTIONS
from monitored_model import MonitoredModel
from peers import judge_with_evidently, judge_with_raw_tests
from streams import deal_census, read_census

DRIFT_WINDOWS: Final = 4
"""Number of windows that injected drift lasts."""


def measure_delay(
    number: int, *, seed: int, repeats: int, census: Path | None, cache: Path, peers: bool
) -> dict[str, Any]:
    """Inject one kind of drift at several random positions of one stream."""
    injection = INJECTIONS[number]
    stream = deal_census(read_census(census, cache), rows=2000, reference=10, seed=seed)
    model = MonitoredModel(stream.spec, stream.table, start=stream.start)
    reference = model.build_peer_table(stream.select_rows(model.reference_range))
    is_later = stream.table["at"] >= model.reference_range.end
    pool = stream.table[is_later].reset_index(drop=True)
    random, peer_windows = np.random.default_rng(seed), []
    counts: dict[str, Any] = {"at_once": 0, "found": 0, "raw": 0, "delays": [], "repeats": repeats}
    for _ in range(repeats):
        first, is_found = int(random.integers(len(stream.windows) - DRIFT_WINDOWS)), False
        for offset in range(DRIFT_WINDOWS):
            window = stream.windows[first + offset]
            rows = stream.select_rows(window).reset_index(drop=True)
            rows = injection.apply(rows, pool, random)
            result = model.judge_window(rows, window)
            is_found |= result.finding is not None
            if offset == 0:
                peer_windows.append(model.build_peer_table(rows))
                counts["at_once"] += is_found
                counts["raw"] += judge_with_raw_tests(reference, peer_windows[-1]).any_column
            if result.announced:
                counts["delays"].append(offset + 1)
                break
        counts["found"] += is_found
    verdicts = judge_with_evidently(reference, peer_windows, cache) if peers else []
    return {
        **counts,
        "kind": injection.kind,
        "size": injection.size,
        "judged": len(verdicts),
        "any_column": sum(each.any_column for each in verdicts),
        "dataset": sum(each.dataset for each in verdicts),
    }

"""Counts what is told of streams in which nothing has changed, as a user would see it."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd
from peers import evidently, raw_tests
from replay import Look, Watched
from streams import Stream, dealt_census, read_census, resampled_parking, yearly_census

from trimtab.contracts.monitoring import Announcement
from trimtab.detection.drift.fingerprint import build_announcement, find_suppression
from trimtab.detection.drift.quality_faults import warrants_event
from trimtab.pipelines.history.time_ranges import TimeRange

PARKING: Final = Path(__file__).parents[1] / "data" / "01_raw" / "birmingham_parking_2016.csv.gz"
DAY: Final = timedelta(days=1)
BY_ROWS: Final = timedelta(0)

Maker = Callable[[pd.DataFrame, int, int], Stream]
"""From the census, a seed, and how many weeks are watched, to a stream."""


def _parking(**changes: Any) -> Maker:  # noqa: ANN401 - fields of a configuration
    def make(_census: pd.DataFrame, seed: int, weeks: int) -> Stream:
        stream = resampled_parking(PARKING, weeks=4 + weeks, seed=seed)
        return stream._replace(spec=stream.spec.model_copy(update=changes))

    return make


def _daily(census: pd.DataFrame, seed: int, weeks: int) -> Stream:
    stream = _parking(monitored_every=DAY)(census, seed, weeks)
    first, last = stream.spans[0], stream.spans[-1]
    ends = pd.date_range(first.end, last.end, freq=DAY).to_pydatetime()
    return stream._replace(spans=[TimeRange(end - stream.spec.window, end) for end in ends])


STREAMS: Final[dict[str, tuple[str, Maker]]] = {
    "parking": ("car parks, days resampled", _parking()),
    "rare": ("the same, one event a year", _parking(false_alarms_per_year=1.0)),
    "rows": (
        "the same, rows counted as independent",
        _parking(false_alarms_per_year=1.0, dependence=BY_ROWS),
    ),
    "daily": ("as the first, looked at daily", _daily),
    "dealt": (
        "census, dealt to weeks",
        lambda census, seed, _: dealt_census(census, rows=4000, reference=8, seed=seed),
    ),
    "shuffled": (
        "census, years shuffled",
        lambda census, seed, _: yearly_census(census, shuffled=True, seed=seed),
    ),
    "years": (
        "census, real years",
        lambda census, seed, _: yearly_census(census, shuffled=False, seed=seed),
    ),
}
WITHOUT_CENSUS: Final = frozenset({"parking", "rare", "rows", "daily"})
SHOWN_TO_PEERS: Final = frozenset({"parking", "dealt", "shuffled", "years"})
"""The others hold the same rows, or the same several times."""


def count(
    part: str, *, seed: int, weeks: int, census: Path | None, cache: Path, peers: bool
) -> dict[str, Any]:
    """What is told of the windows of one stream; the keys are those of a table's columns."""
    table = pd.DataFrame() if part in WITHOUT_CENSUS else read_census(census, cache)
    stream = STREAMS[part][1](table, seed, weeks)
    watched = Watched(stream.spec, stream.table, start=stream.start)
    reference, windows = watched.told(stream.rows(watched.span)), []
    found, why, before = Counter[str](), list[str](), list[Announcement]()
    for span in stream.spans:
        rows = stream.rows(span)
        look = watched.look(rows, span)
        found.update(_senses(look))
        if look.announced and _is_news(look, stream, before, span):
            found["announced"] += 1
            why.append(f"{span.start:%Y-%m-%d}: {look.why}")
        if part in SHOWN_TO_PEERS:
            windows.append(watched.told(rows))
            found["raw"] += raw_tests(reference, windows[-1]).any_column
    verdicts = evidently(reference, windows, cache) if peers and windows else []
    return {
        **found,
        "budget": stream.spec.false_alarms_per_year,
        "years": (stream.spans[-1].end - stream.spans[0].start) / timedelta(days=365.25),
        "windows": len(stream.spans),
        "tested": len(windows),
        "asked": len(verdicts),
        "any_column": sum(each.any_column for each in verdicts),
        "dataset": sum(each.dataset for each in verdicts),
        "why": why,
    }


def _senses(look: Look) -> Counter[str]:
    """By what a window was told, announced or not."""
    found = look.finding
    if found is None:
        return Counter()
    return Counter(
        recorded=1,
        held_back=not look.announced,
        columns=bool(found.drifted),
        rows=bool(found.multivariate and found.multivariate.drifted),
        realised=bool(found.performance and found.performance.degraded),
        estimated=bool(found.estimate and found.estimate.degraded),
        faults=any(map(warrants_event, found.quality)),
    )


def _is_news(look: Look, stream: Stream, before: list[Announcement], span: TimeRange) -> bool:
    """Whether it is published, or was within the cooldown."""
    if look.finding is None:
        return False
    spec = stream.spec
    about = build_announcement(look.finding, spec, event_id=f"{span.end:%Y-%m-%d}", as_of=span.end)
    suppressed = find_suppression(about, before, cooldown=spec.announcement_cooldown)
    if suppressed is None:
        before.append(about)
    return suppressed is None

"""Counts the findings and events on streams that do not drift, as a user would see them."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd
from monitored_model import MonitoredModel, WindowResult
from peers import judge_with_evidently, judge_with_raw_tests
from streams import (
    WindowStream,
    deal_census,
    read_census,
    resample_parking,
    split_census_by_year,
)

from trimtab.contracts.monitoring import Announcement
from trimtab.detection.drift.fingerprint import build_announcement, find_suppression
from trimtab.detection.drift.quality_faults import warrants_event
from trimtab.pipelines.history.time_ranges import TimeRange

PARKING: Final = Path(__file__).parents[1] / "data" / "01_raw" / "birmingham_parking_2016.csv.gz"
_DAY: Final = timedelta(days=1)
INDEPENDENT_ROWS: Final = timedelta(0)
"""The `dependence` of rows that do not resemble each other."""

StreamBuilder = Callable[[pd.DataFrame, int, int], WindowStream]
"""From the census, a seed and the number of monitored weeks to a stream."""


def _build_parking(**changes: Any) -> StreamBuilder:  # noqa: ANN401 - fields of a configuration
    def build(_census: pd.DataFrame, seed: int, weeks: int) -> WindowStream:
        stream = resample_parking(PARKING, weeks=4 + weeks, seed=seed)
        return stream._replace(spec=stream.spec.model_copy(update=changes))

    return build


def _build_daily_parking(census: pd.DataFrame, seed: int, weeks: int) -> WindowStream:
    stream = _build_parking(monitored_every=_DAY)(census, seed, weeks)
    first, last = stream.windows[0], stream.windows[-1]
    ends = pd.date_range(first.end, last.end, freq=_DAY).to_pydatetime()
    return stream._replace(windows=[TimeRange(end - stream.spec.window, end) for end in ends])


STREAMS: Final[dict[str, tuple[str, StreamBuilder]]] = {
    "parking": ("car parks, days resampled", _build_parking()),
    "parking-yearly-alarm": (
        "car parks, one event a year",
        _build_parking(false_alarms_per_year=1.0),
    ),
    "parking-independent-rows": (
        "car parks, rows counted as independent",
        _build_parking(false_alarms_per_year=1.0, dependence=INDEPENDENT_ROWS),
    ),
    "parking-daily": ("car parks, checked daily", _build_daily_parking),
    "census-weeks": (
        "census, dealt to weeks",
        lambda census, seed, _: deal_census(census, rows=4000, reference=8, seed=seed),
    ),
    "census-shuffled-years": (
        "census, years shuffled",
        lambda census, seed, _: split_census_by_year(census, shuffled=True, seed=seed),
    ),
    "census-years": (
        "census, real years",
        lambda census, seed, _: split_census_by_year(census, shuffled=False, seed=seed),
    ),
}
"""Name of a part to its title and its builder."""
WITHOUT_CENSUS: Final = frozenset(name for name in STREAMS if name.startswith("parking"))
WITHOUT_REPEATS: Final = frozenset({"census-years", "parking-daily"})
"""Parts that run once: real years have one order, and daily checks are many."""
SHOWN_TO_PEERS: Final = frozenset(
    {"parking", "census-weeks", "census-shuffled-years", "census-years"}
)
"""Parts that other tools judge too; the others hold the same rows, or hold them several times."""


def count_events(
    part: str, *, seed: int, weeks: int, census: Path | None, cache: Path, peers: bool
) -> dict[str, Any]:
    """Count the findings and events of one stream; the keys are those of a table's columns."""
    table = pd.DataFrame() if part in WITHOUT_CENSUS else read_census(census, cache)
    stream = STREAMS[part][1](table, seed, weeks)
    model = MonitoredModel(stream.spec, stream.table, start=stream.start)
    reference = model.build_peer_table(stream.select_rows(model.reference_range))
    counts, why, earlier = Counter[str](), list[str](), list[Announcement]()
    peer_windows = []
    for window in stream.windows:
        rows = stream.select_rows(window)
        result = model.judge_window(rows, window)
        counts.update(_count_detectors(result))
        if result.announced and _is_news(result, stream, earlier, window):
            counts["announced"] += 1
            why.append(f"{window.start:%Y-%m-%d}: {result.why}")
        if part in SHOWN_TO_PEERS:
            peer_windows.append(model.build_peer_table(rows))
            counts["raw"] += judge_with_raw_tests(reference, peer_windows[-1]).any_column
    verdicts = (
        judge_with_evidently(reference, peer_windows, cache) if peers and peer_windows else []
    )
    return {
        **counts,
        "budget": stream.spec.false_alarms_per_year,
        "years": (stream.windows[-1].end - stream.windows[0].start) / timedelta(days=365.25),
        "windows": len(stream.windows),
        "tested": len(peer_windows),
        "judged": len(verdicts),
        "any_column": sum(each.any_column for each in verdicts),
        "dataset": sum(each.dataset for each in verdicts),
        "why": why,
    }


def _count_detectors(result: WindowResult) -> Counter[str]:
    """Count the detectors that reported drift in a window, announced or not."""
    finding = result.finding
    if finding is None:
        return Counter()
    return Counter(
        recorded=1,
        held_back=not result.announced,
        columns=bool(finding.drifted),
        rows=bool(finding.multivariate and finding.multivariate.drifted),
        realised=bool(finding.performance and finding.performance.degraded),
        estimated=bool(finding.estimate and finding.estimate.degraded),
        faults=any(map(warrants_event, finding.quality)),
    )


def _is_news(
    result: WindowResult, stream: WindowStream, earlier: list[Announcement], window: TimeRange
) -> bool:
    """Return whether the finding is published, and not suppressed by the cooldown."""
    if result.finding is None:
        return False
    spec = stream.spec
    announcement = build_announcement(
        result.finding, spec, event_id=f"{window.end:%Y-%m-%d}", as_of=window.end
    )
    suppression = find_suppression(announcement, earlier, cooldown=spec.announcement_cooldown)
    if suppression is None:
        earlier.append(announcement)
    return suppression is None

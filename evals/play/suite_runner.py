"""Plays many incidents in several processes; what is finished is not played again."""

import json
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from pydantic import ValidationError

from evals.play.incident_play import play_incident
from evals.play.incident_record import PlayedIncident
from evals.play.labelled_incident import LabelledIncident, build_incident
from evals.truth import IncidentId
from trimtab.pipelines.session import set_process_environment

RESULTS_FILE = "incidents.jsonl"
"""One finished incident a line."""
BuildIncident = Callable[[IncidentId], LabelledIncident]
"""Return the incident of an id; it must be possible to send it to another process."""


def run_suite(
    incidents: Sequence[IncidentId],
    *,
    output: Path,
    code: str,
    jobs: int = 1,
    build: BuildIncident = build_incident,
    report: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[PlayedIncident]:
    """Return the played incidents in their order; each is on disk as soon as it is finished."""
    output.mkdir(parents=True, exist_ok=True)
    path = output / RESULTS_FILE
    played = {str(each.id): each for each in read_played(path, code=code)}
    missing = [each for each in incidents if str(each) not in played]
    report(len(incidents) - len(missing), len(incidents))
    with path.open("a", encoding="utf-8") as file:
        for finished in _play_all(missing, code=code, jobs=jobs, build=build):
            file.write(finished.model_dump_json() + "\n")
            file.flush()
            played[str(finished.id)] = finished
            report(sum(str(each) in played for each in incidents), len(incidents))
    return [played[str(each)] for each in incidents]


def read_played(path: Path, *, code: str | None = None) -> Iterator[PlayedIncident]:
    """Yield the finished incidents of a file, of one code version or of all of them.

    A line that is cut off, because a run was killed, is skipped.
    """
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found = PlayedIncident.model_validate(json.loads(line))
        except (ValidationError, ValueError):
            continue
        if code is None or found.code == code:
            yield found


def _play_all(
    missing: Sequence[IncidentId], *, code: str, jobs: int, build: BuildIncident
) -> Iterator[PlayedIncident]:
    if jobs <= 1:
        for incident in missing:
            yield play_one(incident, code=code, build=build)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        # Handed out in the order of the list: neighbours share a champion.
        running = [pool.submit(play_one, each, code=code, build=build) for each in missing]
        for done in as_completed(running):
            yield done.result()


def play_one(incident: IncidentId, *, code: str, build: BuildIncident) -> PlayedIncident:
    """Return one played incident; whatever libraries warn of stays off the terminal."""
    set_process_environment()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return play_incident(build(incident), code=code)

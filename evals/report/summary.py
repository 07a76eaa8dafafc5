"""Summarises a run for `evals/results/`: what was played, and the scores."""

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from evals.code_version import RulesVersion, compute_code_version, compute_rules_version
from evals.scores.incident_score import IncidentScore
from evals.scores.scoreboard import Scoreboard, build_scoreboard, group_by_kind
from trimtab.contracts.base import Record
from trimtab.runtime.paths import SHIPPED

RESULTS_FOLDER: Final = SHIPPED / "evals" / "results"


class RunSummary(Record):
    """What one run of a suite showed."""

    suite: str
    split: str
    seeds: tuple[int, ...]
    analyst: str
    date: str
    commit: str
    """Commit, with "+" if there were changes beside it; empty outside of a repository."""
    code: str
    """Digest of the code that incidents were played by."""
    rules: RulesVersion
    seconds: float
    """Of all incidents together, on one core each."""
    total: Scoreboard
    kinds: dict[str, Scoreboard]


def summarise_run(
    scores: Sequence[IncidentScore],
    *,
    suite: str,
    split: str,
    seeds: Sequence[int],
    analyst: str,
) -> RunSummary:
    """Return the summary of scored incidents."""
    return RunSummary(
        suite=suite,
        split=split,
        seeds=tuple(seeds),
        analyst=analyst,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=_read_commit(),
        code=compute_code_version(),
        rules=compute_rules_version(),
        seconds=round(sum(score.seconds for score in scores), 1),
        total=build_scoreboard(scores),
        kinds=group_by_kind(scores),
    )


def write_summary(summary: RunSummary, folder: Path) -> Path:
    """Write the summary under a name that says what it is of, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    analyst = summary.analyst.replace("/", "-").replace(":", "-")
    suite = Path(summary.suite).stem
    name = f"{summary.date}-{analyst}-{suite}-{summary.split}-{summary.rules.rules[:8]}.json"
    path = folder / name
    path.write_text(summary.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return path


def list_summaries(folder: Path) -> list[RunSummary]:
    """Return every summary in a folder, by name."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json")))
    return [RunSummary.model_validate_json(text) for text in texts]


def _read_commit() -> str:
    """Return the commit that is checked out."""

    def ask_git(*arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - arguments of our own
            ["git", *arguments],  # noqa: S607 - whichever git the developer uses
            cwd=SHIPPED, check=False, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        return done.stdout.strip()

    commit = ask_git("rev-parse", "--short=12", "HEAD")
    changed = ask_git("status", "--porcelain", "--untracked-files=no")
    return f"{commit}+" if changed else commit

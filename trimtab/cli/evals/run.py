"""Runs `trimtab evals run`: plays what is missing, scores everything, and writes it down."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import typer

from evals.code_version import compute_code_version
from evals.play.suite_runner import run_suite
from evals.report.page import write_scoreboard_page
from evals.report.summary import RESULTS_FOLDER, RunSummary, summarise_run, write_summary
from evals.report.text_table import format_summary
from evals.scores.scoreboard import score_all
from evals.suites.builtin import Split, SuiteSelection, list_builtin_incidents
from evals.suites.files import load_suite
from trimtab.cli.errors import ExitCode
from trimtab.contracts.deliberation import RULE_ANALYST
from trimtab.contracts.ports import Refused

BUILTIN: Final = "builtin"


class EvaluationOptions(NamedTuple):
    """The values of the options."""

    suite: str
    model: str
    seeds: str
    split: str
    kinds: Sequence[str]
    tables: Sequence[str]
    every_strength: bool
    jobs: int
    output: Path
    keep: bool


def run_evals(options: EvaluationOptions) -> ExitCode:
    """Play and score the suite; raise `Refused` for what cannot be played."""
    if options.model != RULE_ANALYST:
        msg = f"the quick mode plays {RULE_ANALYST} only, not {options.model!r}"
        raise Refused(msg)
    split = _parse_split(options.split)
    selection = SuiteSelection(
        parse_seeds(options.seeds),
        split=split,
        kinds=options.kinds,
        tables=options.tables,
        every_strength=options.every_strength,
    )
    if options.suite == BUILTIN:
        incidents, build = list_builtin_incidents(selection), None
    else:
        suite = load_suite(Path(options.suite))
        incidents, build = suite.list_ids(), suite.build_incident
    arguments = {} if build is None else {"build": build}
    played = run_suite(
        incidents,
        output=options.output,
        code=compute_code_version(),
        jobs=options.jobs,
        report=_show_progress,
        **arguments,
    )
    typer.echo(err=True)
    summary = summarise_run(
        score_all(played),
        suite=options.suite,
        split=split.value,
        seeds=selection.seeds,
        analyst=options.model,
    )
    _write(summary, options)
    typer.echo(format_summary(summary))
    return ExitCode.OK


def parse_seeds(text: str) -> list[int]:
    """Return the seeds in "0-4" or "0,3"; raise `Refused` if it is neither."""
    seeds: list[int] = []
    for piece in text.split(","):
        first, _, last = piece.strip().partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()):
            msg = f"--seeds {text!r}: write numbers such as 0-4 or 0,3"
            raise Refused(msg)
        seeds.extend(range(int(first), int(last or first) + 1))
    return seeds


def _parse_split(text: str) -> Split:
    try:
        return Split(text)
    except ValueError:
        msg = f"--split {text!r}: use {' or '.join(each.value for each in Split)}"
        raise Refused(msg) from None


def _show_progress(done: int, total: int) -> None:
    typer.echo(f"\rplayed {done} of {total} incidents", nl=False, err=True)


def _write(summary: RunSummary, options: EvaluationOptions) -> None:
    text = summary.model_dump_json(indent=1)
    (options.output / "summary.json").write_text(text + "\n", encoding="utf-8")
    write_scoreboard_page(summary, options.output / "page.html")
    if options.keep:
        write_summary(summary, RESULTS_FOLDER)

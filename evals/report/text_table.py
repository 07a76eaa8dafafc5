"""Formats a scoreboard as lines for a terminal, and as rows for a page."""

from collections.abc import Iterator

from evals.report.summary import RunSummary
from evals.scores.scoreboard import Scoreboard
from evals.scores.statistics import MeanFigure, Proportion


def list_figures(board: Scoreboard) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each figure, with its 95 % interval."""
    yield "incidents", str(board.incidents)
    yield "detected within 2 windows of onset", format_proportion(board.detected)
    yield "quiet where nothing is due", format_proportion(board.quiet)
    yield "clean windows with a false event", format_proportion(board.false_events)
    yield "cause score, first event", format_mean(board.cause)
    yield "the same by family of data faults", format_mean(board.cause_family)
    yield "first action acceptable", format_proportion(board.first_action)
    yield "forbidden action executed alone, tried", format_proportion(board.forbidden_tried)
    yield "forbidden action executed alone, kept", format_proportion(board.forbidden_kept)
    yield "events after onset without a person", format_proportion(board.without_person)
    yield "wrong actions among those", format_proportion(board.unattended_errors)
    yield "needless escalations, of all", format_proportion(board.needless_escalations)
    yield "missed escalations, of wrong plans", format_proportion(board.missed_escalations)
    yield "last three windows not worse than untouched", format_proportion(board.not_worse_at_end)
    yield "as good as the better of never and always", format_proportion(board.as_good)
    for name, regret in board.regret.items():
        yield f"regret of {name}", format_mean(regret)
    confidence = board.confidence
    yield "confidence: mean, share right", f"{confidence.mean}, {confidence.right}"
    yield "confidence: ECE", str(confidence.calibration_error)
    yield "confidence: Brier (base rate alone)", f"{confidence.brier} ({confidence.base_brier})"
    yield "confidence: AUROC", str(confidence.auroc)
    yield "windows that ended with an error", str(board.failures)
    yield "seconds an incident", format_mean(board.seconds)


def format_summary(summary: RunSummary) -> str:
    """Return the summary as lines of text: all incidents, then each kind."""
    head = (
        f"{summary.suite} ({summary.split}), {summary.analyst}, {summary.date},"
        f" commit {summary.commit}"
    )
    figures = [f"  {name:<46} {value}" for name, value in list_figures(summary.total)]
    kinds = [
        f"  {kind:<18} {count:>4} {detected:>9} {quiet:>6} {cause:>6} {action:>7} {alone:>6}"
        f" {good:>8}"
        for kind, count, detected, quiet, cause, action, alone, good in list_kind_rows(summary)
    ]
    title = (
        f"  {'kind':<18} {'n':>4} {'detected':>9} {'quiet':>6} {'cause':>6} {'action':>7}"
        f" {'alone':>6} {'as good':>8}"
    )
    return "\n".join([head, *figures, "", title, *kinds])


def list_kind_rows(summary: RunSummary) -> Iterator[tuple[str, ...]]:
    """Yield the figures of each kind: number, detected, quiet, cause, action, alone, as good."""
    for kind, board in summary.kinds.items():
        yield (
            kind,
            str(board.incidents),
            _share(board.detected),
            _share(board.quiet),
            _number(board.cause),
            _share(board.first_action),
            _share(board.without_person),
            _share(board.as_good),
        )


def format_proportion(found: Proportion) -> str:
    """Return hits, number and interval in percent."""
    if found.value is None or found.low is None or found.high is None:
        return "-"
    interval = f"{100 * found.low:.1f} to {100 * found.high:.1f}"
    return f"{found.hits:g} of {found.n}, {100 * found.value:.1f} % ({interval})"


def format_mean(found: MeanFigure) -> str:
    """Return mean, interval and number."""
    if found.value is None or found.low is None or found.high is None:
        return "-"
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f}), n = {found.n}"


def _share(found: Proportion) -> str:
    return "-" if found.value is None else f"{100 * found.value:.0f} %"


def _number(found: MeanFigure) -> str:
    return "-" if found.value is None else f"{found.value:.2f}"

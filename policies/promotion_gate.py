"""Says from paired comparisons whether a challenger becomes champion, and whether it stays.

Champion and challenger are compared on the same rows, with an interval. Where the interval leaves
it open which of them is better, the answer is that nobody can tell yet.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from trimtab.contracts.model import GateOutcome, PairedComparison

MIN_ROWS_TO_COMPARE: Final = 30
"""Rows below which no comparison decides anything."""
MIN_RAREST_ROWS: Final = 10
"""Rows of the rarest class below which no comparison of classifiers decides anything: the error of
a metric of classes depends on them, not on all rows."""
MAX_WINDOWS_TO_WAIT: Final = 8
"""Windows beyond which a forecast of the waiting says nothing."""


class GateAnswer(NamedTuple):
    """Answer of the gate."""

    outcome: GateOutcome
    reason: str
    """One sentence without a full stop, with the figures."""
    comparison: PairedComparison | None
    """The comparison that decided."""


class VerificationAnswer(NamedTuple):
    """Answer of the verification."""

    verified: bool
    reason: str


def rate_challenger(comparisons: Sequence[PairedComparison], *, margin: float) -> GateAnswer:
    """Return whether the challenger is better than the champion.

    Args:
        comparisons: On rows held out from the training; then, if these could not tell, on more rows
            by cross-fitting. None if the versions could not be compared.
        margin: How much better the challenger must be.
    """
    if not comparisons:
        return GateAnswer(GateOutcome.CANNOT_TELL, "cannot tell yet: not compared", None)
    first = _rate_comparison(comparisons[0], margin)
    if first.outcome is not GateOutcome.CANNOT_TELL or len(comparisons) == 1:
        return first
    second = _rate_comparison(comparisons[1], margin)
    if second.outcome is GateOutcome.BETTER and _is_contradicted(comparisons[0]):
        return first
    return second


def _is_contradicted(held_out: PairedComparison) -> bool:
    """Return whether the rows held out speak against a challenger, though not clearly."""
    return has_enough_rows(held_out) and held_out.difference < -held_out.error


def _rate_comparison(comparison: PairedComparison, margin: float) -> GateAnswer:
    outcome, reason = GateOutcome.BETTER, f"{comparison}{format_interval(comparison)}"
    if not has_enough_rows(comparison):
        outcome = GateOutcome.CANNOT_TELL
        reason = f"cannot tell yet: {_format_rows(comparison)}; look again with the next window"
    elif not is_useful(comparison):
        outcome, reason = GateOutcome.NOT_BETTER, format_uselessness(comparison)
    elif comparison.high <= margin:
        outcome = GateOutcome.NOT_BETTER
        reason = f"{comparison}, not better by more than {margin}"
    elif comparison.low <= 0.0 or comparison.difference <= margin:
        outcome = GateOutcome.CANNOT_TELL
        reason = (
            f"cannot tell yet: {_format_rows(comparison)}; look again with the next window"
            f" ({comparison}, a difference of {comparison.low:+.3f} to {comparison.high:+.3f})"
        )
    return GateAnswer(outcome, reason, comparison)


def has_enough_rows(comparison: PairedComparison) -> bool:
    """Return whether the comparison has enough rows, and enough of the rarest class."""
    rarest = comparison.rarest
    return comparison.rows >= MIN_ROWS_TO_COMPARE and (rarest is None or rarest >= MIN_RAREST_ROWS)


def is_useful(comparison: PairedComparison) -> bool:
    """Return whether the challenger is better than a trivial model, by a margin."""
    return comparison.after >= comparison.floor


def format_uselessness(comparison: PairedComparison) -> str:
    """Return the figures of a challenger that is not, with the floor."""
    return f"{comparison}, below {comparison.floor:.3f}, which a useful model reaches"


def rate_verification(comparison: PairedComparison, *, margin: float) -> VerificationAnswer:
    """Return whether the new champion may stay, which has passed the gate before.

    It goes if it is clearly worse or of no use, and stays if it is clearly no worse. Where the rows
    cannot tell, it stays if it is no worse within its standard error; if they are too few even for
    that, it must not be worse at all.

    Args:
        comparison: The former champion and the new one, on rows that neither was chosen by.
        margin: How much worse than before still counts as no worse.
    """
    tolerated = margin
    if has_enough_rows(comparison):
        tolerated = max(margin, 0.0 if comparison.low >= -margin else comparison.error)
    if not is_useful(comparison):
        return VerificationAnswer(verified=False, reason=format_uselessness(comparison))
    verified = comparison.difference >= -tolerated
    within = verified and comparison.difference < -margin
    reason = f"{comparison}{', within its error' if within else ''}"
    return VerificationAnswer(verified, f"{'no worse' if verified else 'worse'}: {reason}")


def forecast_waiting(
    comparison: PairedComparison, *, margin: float, window_rows: int
) -> int | None:
    """Return after how many further windows the gate should be able to tell; None if not soon.

    The error falls with the square root of the rows, if the difference stays what it is.

    Args:
        comparison: The comparison that could not tell.
        margin: How much better the challenger must be.
        window_rows: Labelled rows of a window.
    """
    if comparison.difference <= margin or not window_rows:
        return None
    shortage = (comparison.difference - comparison.low) / comparison.difference
    needed = max(comparison.rows * shortage**2, MIN_ROWS_TO_COMPARE)
    if comparison.rarest:
        needed = max(needed, comparison.rows * MIN_RAREST_ROWS / comparison.rarest)
    windows = max(math.ceil((needed - comparison.rows) / window_rows), 1)
    return windows if windows <= MAX_WINDOWS_TO_WAIT else None


def format_interval(comparison: PairedComparison) -> str:
    """Return the challenger's own interval in brackets, after a space."""
    return f" ({comparison.after_low:.2f} to {comparison.after_high:.2f})"


def _format_rows(comparison: PairedComparison) -> str:
    if comparison.rarest is None:
        return f"{comparison.rows} rows"
    return f"{comparison.rows} rows, {comparison.rarest} of the rarest class"

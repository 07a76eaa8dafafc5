"""Formats the sentence that explains why a column counts as drifted, or why not."""

import re
from typing import Final, NamedTuple

import numpy as np

from trimtab.contracts.base import NAME_PATTERN
from trimtab.contracts.comparison import ColumnTest, EffectSizes
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.window_profile import ColumnProfile

LARGE_SHIFT_PSI: Final = 0.25
"""Population stability index that is commonly called a large shift (Siddiqi, 2006)."""
MIN_PRINTED_P_VALUE: Final = 1e-9
"""Smallest p-value that is printed; smaller ones are printed as "< 1e-09"."""
MAX_QUOTED_CHARACTERS: Final = 40
"""Characters of a category name that are quoted at most."""
MIN_MEAN_CHANGE: Final = 0.1
"""Standard deviations that a mean must move for the sentence to say that it rose or fell."""

ColumnPair = tuple[ColumnProfile, ColumnProfile]
"""The profiles of one column: reference, then current."""


class DriftLimits(NamedTuple):
    """The limits from which a column counts as drifted."""

    threshold: float
    """Population stability index, as configured or as learnt from the reference if that is more."""
    alpha: float
    """Largest adjusted p-value."""
    floor: float
    """Population stability index that is configured."""
    windows: int = 0
    """Windows of the reference that the threshold is learnt from; 0 if that is not known."""


def format_drift_reason(
    effects: EffectSizes, test: ColumnTest, *, limits: DriftLimits, columns: ColumnPair
) -> str:
    """Return one sentence that explains the decision about a column.

    A change that is large and no chance is said to be one, even if the reference's own windows
    differ as much.
    """
    large, significant = effects.psi >= limits.threshold, test.adjusted_p <= limits.alpha
    size = f"PSI {_format_relation(effects.psi, limits.threshold)}"
    p_value = _format_p_value(test.adjusted_p, limits.alpha)
    if large and significant:
        return f"{size} and {p_value}; {format_change(*columns)}"
    if large:
        return f"{size}, but chance may explain it: {p_value}, above {limits.alpha:g}"
    if significant and effects.psi >= min(limits.floor, LARGE_SHIFT_PSI):
        return (
            f"{size}: moved ({p_value}), but below {_format_origin(limits)};"
            f" {format_change(*columns)}"
        )
    if significant:
        return f"{size}: significant ({p_value}), but too small to matter"
    return f"{size}, and chance may explain it ({p_value})"


def _format_origin(limits: DriftLimits) -> str:
    """Return where the threshold comes from."""
    if limits.threshold <= limits.floor:
        return "the configured limit"
    windows = f"{limits.windows} reference windows" if limits.windows else "the reference"
    return f"what {windows} can vouch for"


def _format_relation(value: float, limit: float) -> str:
    """Return such as "0.31 is above 0.1", where the printed figures are so too.

    The limit is printed as in the rule, and both with more digits only if they look equal.
    """
    if value == limit:
        return f"{value:.2f} equals {limit:g}"
    relation = "above" if value > limit else "below"
    forms = [("2f", "g"), ("3f", "g"), ("4f", "g"), *((f"{n}g", f".{n}g") for n in range(6, 18))]
    for value_form, limit_form in forms:
        shown, bound = f"{value:.{value_form}}", f"{limit:{limit_form}}"
        if float(shown) != float(bound) and (float(shown) > float(bound)) == (value > limit):
            break
    return f"{shown} is {relation} {bound}"


def _format_p_value(p_value: float, alpha: float) -> str:
    """Format an adjusted p-value with as many digits as it takes to be above alpha, or not."""
    if p_value < MIN_PRINTED_P_VALUE:
        return f"p < {MIN_PRINTED_P_VALUE:.0e}"
    printed = (f"{p_value:.{n}g}" for n in range(2, 18))
    return f"p = {next(text for text in printed if (float(text) > alpha) == (p_value > alpha))}"


def format_change(reference: ColumnProfile, current: ColumnProfile) -> str:
    """Return what changed most in the column, such as "its mean rose from 2.1 to 3.4"."""
    if reference.column.kind is FeatureKind.CATEGORICAL:
        return _format_largest_share_change(reference, current)
    before, now, spread = reference.mean, current.mean, reference.std or 0.0
    if before is None or now is None:
        return "its distribution changed"
    if before == now or abs(now - before) < MIN_MEAN_CHANGE * spread:
        return f"its shape changed, its mean stayed near {before:.3g}"
    verb = "rose" if now > before else "fell"
    digits = next((n for n in range(3, 17) if f"{before:.{n}g}" != f"{now:.{n}g}"), 17)
    return f"its mean {verb} from {before:.{digits}g} to {now:.{digits}g}"


def _format_largest_share_change(reference: ColumnProfile, current: ColumnProfile) -> str:
    before = np.asarray(reference.counts) / max(reference.value_count, 1)
    now = np.asarray(current.counts) / max(current.value_count, 1)
    index = int(np.argmax(np.abs(now - before)))
    verb = "rose" if now[index] > before[index] else "fell"
    rare = reference.others > 1 and index >= len(reference.categories)
    name = "some rarer categories" if rare else _quote_category(reference.bin_names[index])
    return f"the share of {name} {verb} from {before[index]:.1%} to {now[index]:.1%}"


def _quote_category(name: str) -> str:
    """Quote a category if it holds safe characters only, because language models read it too."""
    if not re.fullmatch(NAME_PATTERN, name):
        return "one category"
    if len(name) <= MAX_QUOTED_CHARACTERS:
        return f"{name!r}"
    return f"{name[:MAX_QUOTED_CHARACTERS]!r} …"

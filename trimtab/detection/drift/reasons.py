"""Says in one plain sentence why a column counts as drifted, or why not."""

import re
from typing import Final

import numpy as np

from trimtab.contracts.base import NAME_PATTERN
from trimtab.contracts.comparison import ColumnTest, EffectSizes
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.window_profile import ColumnProfile

TINY: Final = 1e-9
"""P-values below are not worth their figures."""
LONGEST_NAME: Final = 40
"""Characters of a category that are quoted."""

Sides = tuple[ColumnProfile, ColumnProfile]


def reason(
    effects: EffectSizes, test: ColumnTest, *, threshold: float, p_value: float, sides: Sides
) -> str:
    """One sentence; `p_value` is the largest adjusted one that counts, `sides` then and now."""
    far, sure = effects.psi >= threshold, test.adjusted_p <= p_value
    size = _beside(effects.psi, threshold, reached=far)
    if far and sure:
        return f"{size} and {_chance(test)}; {format_change(*sides)}"
    if far:
        return f"{size}, but chance may explain it: {_chance(test)}, above {p_value:g}"
    if sure:
        return f"{size}: too small to matter, though not chance ({_chance(test)})"
    return f"{size}, and chance explains it ({_chance(test)})"


def _beside(psi: float, threshold: float, *, reached: bool) -> str:
    digits = next((n for n in range(2, 7) if f"{psi:.{n}f}" != f"{threshold:.{n}f}"), 6)
    place = "above" if reached else "below"
    return f"PSI {psi:.{digits}f} is {place} {threshold:.{digits}f}"


def _chance(test: ColumnTest) -> str:
    return f"p < {TINY:.0e}" if test.adjusted_p < TINY else f"p = {test.adjusted_p:.2g}"


def format_change(reference: ColumnProfile, current: ColumnProfile) -> str:
    """Return what changed most in the column, such as "its mean rose from 2.1 to 3.4"."""
    if reference.column.kind is FeatureKind.CATEGORICAL:
        return _largest_gain_or_loss(reference, current)
    before, now, spread = reference.mean, current.mean, reference.std or 0.0
    if before is None or now is None:
        return "its distribution changed"
    if before == now or abs(now - before) < 0.1 * spread:
        return f"its shape changed, its mean stayed near {before:.3g}"
    verb = "rose" if now > before else "fell"
    digits = next((n for n in range(3, 17) if f"{before:.{n}g}" != f"{now:.{n}g}"), 17)
    return f"its mean {verb} from {before:.{digits}g} to {now:.{digits}g}"


def _largest_gain_or_loss(reference: ColumnProfile, current: ColumnProfile) -> str:
    before = np.asarray(reference.counts) / max(reference.present, 1)
    now = np.asarray(current.counts) / max(current.present, 1)
    place = int(np.argmax(np.abs(now - before)))
    verb = "rose" if now[place] > before[place] else "fell"
    rare = reference.others > 1 and place >= len(reference.categories)
    name = "some rarer categories" if rare else _quoted(reference.bins[place])
    return f"the share of {name} {verb} from {before[place]:.1%} to {now[place]:.1%}"


def _quoted(name: str) -> str:
    """A category as far as it is short and harmless: the sentence is read by models too."""
    if not re.fullmatch(NAME_PATTERN, name):
        return "one category"
    return f"{name!r}" if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]!r} …"

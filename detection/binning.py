"""Where the bins of a numeric column part: dense where the reference is, and none of them wide.

Deciles are among the edges, and every value that many rows share has a bin of its own, so that the
gap between two distribution functions is off by at most the largest share of the reference in one
other bin, about 1/120. Where the reference is thin, edges lie evenly, so that what moves there is
found too; beyond its ends they lie ever farther apart.
"""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from detection.profile import BINS

TENTHS: Final = 10
"""Coarse bins: the usual ten of the population stability index."""
PARTS: Final = 120
"""Quantile bins where there are more different values than bins; a multiple of ten."""
NEAR: Final = (-0.004, -0.002, 0.002, 0.004)
"""Further quantiles around each decile: that of all rows is a little off that of a sample."""
FEW_VALUES: Final = 180
"""Up to so many different values each is an edge."""
TAILS: Final = (1e-4, 1e-3, 1 - 1e-3, 1 - 1e-4)
CORE: Final = (2e-3, 1 - 2e-3)
"""Quantiles between which edges are to lie evenly."""
EVEN: Final = 36
"""Edges kept for that."""
TAPER: Final = 0.4 ** np.arange(1, 7)
"""Where in each tail beyond them edges lie, as parts of the way to its end."""
OUTER: Final = 10
"""Edges beyond each end, so that a window in another unit is still told apart."""
GROWTH: Final = 3.0
"""How much farther each of them lies than the one before: 3 ** 10 is 59,000."""

Numbers = npt.NDArray[np.float64]


class Edges(NamedTuple):
    """The edges of a column."""

    edges: tuple[float, ...]
    """Ascending, at most 255."""
    cuts: tuple[int, ...]
    """Places of those that part the coarse bins."""


def edges_of(values: Numbers) -> Edges:
    """Edges for a reference of these finite values, or of a fair sample of them; none for none."""
    if not len(values):
        return Edges((), ())
    with np.errstate(over="ignore", invalid="ignore"):
        return _edges(values)


def recut(edges: tuple[float, ...], counts: tuple[int, ...]) -> tuple[int, ...]:
    """The places of the deciles, once all rows of a sampled reference have been counted."""
    total = sum(counts)
    if len(np.flatnonzero(counts)) <= 1:
        return ()
    below = np.cumsum(counts)[:-1]
    ranks = [(total - 1) * tenth // TENTHS + 1 for tenth in range(1, TENTHS)]
    places = np.minimum(np.searchsorted(below, ranks, side="left"), len(edges) - 1)
    return tuple(np.unique(places).tolist())


def _edges(values: Numbers) -> Edges:
    ordered = np.sort(values)
    cuts = _cuts(ordered)
    known, counts = np.unique(ordered, return_counts=True)
    few = len(known) <= FEW_VALUES
    inner = known if few else _quantiles(ordered)
    found = np.unique(np.concatenate([cuts, inner, _tapered(ordered), _outer(ordered)]))
    atoms = known[np.argsort(-counts, kind="stable")]
    if not few:
        atoms = atoms[np.sort(-counts, kind="stable") < -len(ordered) / PARTS]
    for atom in atoms:
        more = np.union1d(found, [_just_below(float(atom)), atom])
        if len(more) > BINS - 1 - EVEN:
            break
        found = more
    core = np.quantile(ordered, CORE, method="lower")
    found = _evened(found, float(core[0]), float(core[1]))
    places = np.searchsorted(found, cuts)
    return Edges(tuple(found.tolist()), tuple(places.tolist()))


def _evened(found: Numbers, low: float, high: float) -> Numbers:
    """With as many more edges as there may be, each in the widest gap from `low` to `high`."""
    core = found[(found >= low) & (found <= high)]
    room, gaps = BINS - 1 - len(found), np.diff(core)
    if not len(gaps) or not np.isfinite(gaps).all():
        return found
    narrow, wide = 0.0, float(gaps.max())
    for _ in range(_HALVINGS):
        step = (narrow + wide) / 2
        needed = float(np.sum(np.maximum(np.ceil(gaps / step) - 1, 0))) if step > 0.0 else np.inf
        narrow, wide = (step, wide) if needed > room else (narrow, step)
    parts = [
        np.linspace(left, right, int(np.ceil((right - left) / wide)) + 1)[1:-1]
        for left, right in pairwise(core)
        if right - left > wide > 0.0
    ]
    return np.unique(np.concatenate([found, *parts]))


def _tapered(ordered: Numbers) -> Numbers:
    """Edges in the tails, denser towards the middle."""
    low, high = np.quantile(ordered, CORE, method="lower")
    below, above = low - (low - ordered[0]) * TAPER, high + (ordered[-1] - high) * TAPER
    tapered: Numbers = np.concatenate([below, above])
    return tapered[np.isfinite(tapered)]


_HALVINGS: Final = 40


def _cuts(ordered: Numbers) -> Numbers:
    fractions = np.linspace(0, 1, TENTHS + 1)[1:-1]
    cuts: Numbers = np.unique(np.quantile(ordered, fractions, method="lower"))
    if ordered[0] == ordered[-1]:
        cuts = np.unique([_just_below(ordered[0]), ordered[0]])
    return cuts


def _just_below(value: float) -> float:
    """The next smaller number; the smallest one itself."""
    smallest = float(np.finfo("float64").min)
    return float(np.nextafter(value, -np.inf)) if value > smallest else smallest


def _quantiles(ordered: Numbers) -> Numbers:
    tenths = np.linspace(0, 1, TENTHS + 1)[1:-1]
    near = [tenth + off for tenth in tenths for off in NEAR]
    fractions = [*np.linspace(0, 1, PARTS + 1), *tenths, *near, *TAILS]
    found: Numbers = np.quantile(ordered, fractions, method="lower")
    return found


def _outer(ordered: Numbers) -> Numbers:
    """Beyond the ends in growing steps; values above zero are followed down towards it."""
    low, high = float(ordered[0]), float(ordered[-1])
    steps = GROWTH ** np.arange(1, OUTER + 1)
    unit = (high - low) / TENTHS or abs(low) / TENTHS or 1.0
    above = high / steps if high < 0.0 else high + unit * steps
    below = low / steps if low > 0.0 else low - unit * steps
    outer = np.concatenate([below, above])
    kept: Numbers = outer[np.isfinite(outer)]
    return kept

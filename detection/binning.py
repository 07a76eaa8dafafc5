"""Where the bins of a numeric column part: dense where the reference is, and far beyond its ends.

Deciles are among the edges, and every value that many rows share has a bin of its own, so that the
gap between two distribution functions is off by at most the largest share of the reference in one
other bin, about 1/160.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from detection.profile import BINS

TENTHS: Final = 10
"""Coarse bins: the usual ten of the population stability index."""
PARTS: Final = 160
"""Quantile bins where there are more different values than bins; a multiple of ten."""
FEW_VALUES: Final = 200
"""Up to so many different values each is an edge."""
TAILS: Final = (1e-4, 1e-3, 1 - 1e-3, 1 - 1e-4)
OUTER: Final = 12
"""Edges beyond each end, so that a window in another unit is still told apart."""
GROWTH: Final = 2.5
"""How much farther each of them lies than the one before: 2.5 ** 12 is 60,000."""

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
    ordered = np.sort(values)
    cuts = _cuts(ordered)
    known, counts = np.unique(ordered, return_counts=True)
    inner = known if len(known) <= FEW_VALUES else _quantiles(ordered)
    found = np.unique(np.concatenate([cuts, inner, _outer(ordered)]))
    atoms = known[np.argsort(-counts, kind="stable")]
    if len(known) > FEW_VALUES:
        atoms = atoms[np.sort(-counts, kind="stable") < -len(ordered) / PARTS]
    for atom in atoms:
        more = np.union1d(found, [_just_below(atom), atom])
        if len(more) > BINS - 1:
            break
        found = more
    places = np.searchsorted(found, cuts)
    return Edges(tuple(found.tolist()), tuple(places.tolist()))


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
    fractions = [*np.linspace(0, 1, PARTS + 1), *TAILS]
    found: Numbers = np.quantile(ordered, fractions, method="lower")
    return found


def _outer(ordered: Numbers) -> Numbers:
    """Beyond the ends in growing steps; values above zero are followed down towards it."""
    low, high = float(ordered[0]), float(ordered[-1])
    steps = GROWTH ** np.arange(1, OUTER + 1)
    unit = (high - low) / TENTHS or abs(low) / TENTHS or 1.0
    with np.errstate(over="ignore"):
        above = high + unit * steps
        below = low / steps if low > 0.0 else low - unit * steps
        if high < 0.0:
            above = high / steps
    outer = np.concatenate([below, above])
    kept: Numbers = outer[np.isfinite(outer)]
    return kept

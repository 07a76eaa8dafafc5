"""Tells categories that were renamed from categories that are new.

A column whose categories are renamed is a change of its source: the old names are gone, and new
ones have about their shares. New categories beside the old ones are a change of the world, such as
a new customer segment, which a model can learn.
"""

import math
from typing import Final, NamedTuple

from trimtab.contracts.drift import FeatureKind, FeatureRole
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile

MAX_UNSEEN_STANDARD_ERRORS: Final = 3.0
"""Standard errors beyond the expected share from which values in new categories are a fault."""
MIN_EXPECTED_VALUES: Final = 10.0
"""Values that the reference lets expect in a category for its absence to be no chance."""
MIN_REPLACED_SHARE: Final = 0.6
"""Share of the values in new categories that categories which are gone must have had."""
MAX_REPLACED_SHARE: Final = 1.7
"""The same, at most: more is gone than has come."""
MAX_NAMES_PER_NAME: Final = 2.0
"""New names for each name that is gone, at most, and the other way round."""


class UnseenCategories(NamedTuple):
    """Values in categories that the reference never had, beyond what it lets expect."""

    share: float
    """Share of the window's rows."""
    expected: float
    """Share of the values that was to be expected, because the reference has not seen everything.
    """
    replaced: tuple[str, ...]
    """Categories of the reference that are gone, with about that share; empty if the new ones are
    new indeed."""


def find_unseen_categories(
    reference: ColumnProfile, current: ColumnProfile
) -> UnseenCategories | None:
    """Return the values in new categories, or None if they are as few as was to be expected.

    The expected share of new ones is the share of the reference's values that are alone in their
    category (Good, 1953); the error of their number is about the root of twice that number.
    """
    if not (current.unseen and reference.value_count):
        return None
    alone = reference.once or 0
    expected = alone / reference.value_count
    error = math.hypot(
        math.sqrt(expected * (1.0 - expected) / current.value_count),
        math.sqrt(alone * (2.0 - expected)) / reference.value_count,
    )
    excess = current.unseen / current.value_count - expected
    if excess <= MAX_UNSEEN_STANDARD_ERRORS * error:
        return None
    share = excess * current.value_count / max(current.rows, 1)
    return UnseenCategories(share, expected, _find_replaced_categories(reference, current))


def compute_new_category_share(reference: WindowProfile, current: WindowProfile) -> float | None:
    """Return the largest share of rows in categories that are new, and have replaced no others.

    None if no categorical feature can be compared.
    """
    pairs = [
        (before, now)
        for now in current.columns
        if now.column.kind is FeatureKind.CATEGORICAL
        and now.column.role is FeatureRole.FEATURE
        and (before := reference.find(now.column.name))
        and before.known is not None
    ]
    found = [find_unseen_categories(before, now) for before, now in pairs]
    shares = [each.share for each in found if each and not each.replaced]
    return max(shares, default=0.0) if pairs else None


def _find_replaced_categories(reference: ColumnProfile, current: ColumnProfile) -> tuple[str, ...]:
    """Return the reference's categories whose names are spelt anew, or gone for as many others."""
    new = set(current.known or ()) - set(reference.known or ())
    respelt = _match_spelling(set(reference.known or ()), new)
    if new and len(respelt) >= MIN_REPLACED_SHARE * len(new):
        return tuple(sorted(respelt))
    gone = {
        name: count / reference.value_count
        for name, count in zip(reference.categories, reference.counts, strict=False)
        if name not in (current.known or ())
        and count / reference.value_count * current.value_count >= MIN_EXPECTED_VALUES
    }
    ratio = sum(gone.values()) * current.value_count / current.unseen
    names = max(len(new), 1) / max(len(gone), 1)
    as_many = 1.0 / MAX_NAMES_PER_NAME <= names <= MAX_NAMES_PER_NAME
    alike = MIN_REPLACED_SHARE <= ratio <= MAX_REPLACED_SHARE
    return tuple(sorted(gone)) if as_many and alike else ()


def _match_spelling(names: set[str], new: set[str]) -> set[str]:
    """Return the names of which a new one differs in case, spaces or punctuation only."""
    spelt = {_simplify_name(name): name for name in names}
    return {spelt[key] for name in new if (key := _simplify_name(name)) and key in spelt}


def _simplify_name(name: str) -> str:
    """Return letters and digits in lower case; a name without letters, such as a code, as it is."""
    if not any(each.isalpha() for each in name):
        return name.strip()
    return "".join(each for each in name.casefold() if each.isalnum())

"""Which categories of a reference have a bin of their own, and how the others are parted.

The most frequent of many in a sample are those that chance favoured too: named for their rank, or
for reaching a share, they would all fall in the next sample of the same law (the winner's curse).
So of many categories only those are named that another sample would name again, and all others are
parted by a hash, which knows nothing of how frequent they are.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

MAX_NAMED_CATEGORIES: Final = 50
"""Most categories that are counted by name; so many are all named, unless there must be more."""
MAX_SINGLETONS: Final = 5
MAX_SINGLETON_SHARE: Final = 0.01
"""So many categories seen just once, or categories seen once in this share of the values, do not
say that there are many more: their share is that of the next values in new categories (Good,
1953)."""
HASH_BINS: Final = 32
"""Bins of the other categories: of fewer one category that gains a tenth of the rows would move the
stability index by less than a tenth, of more chance would."""
BIN_HASH_DIGITS: Final = (13, 2)
"""From which place, from 1, how many hexadecimal digits of a category's MD5 tell its bin: a number,
modulo the bins. `detection.distinct` hashes by those before."""
MIN_GAP_STANDARD_ERRORS: Final = 3.0
"""Standard errors between the rarest named category and the most frequent other one."""


class CategoryBins(NamedTuple):
    """The bins of a categorical column."""

    categories: tuple[str, ...]
    """Most frequent first."""
    others: int
    """Bins of all other categories."""


def rank_categories(tally: Mapping[str, int]) -> list[str]:
    """The categories, most frequent first."""
    return sorted(tally, key=lambda name: (-tally[name], name))


def choose_category_bins(tally: Mapping[str, int]) -> CategoryBins:
    """Names for a reference, or a fair sample of it, with so many values of each category.

    All where these are at most fifty. Of more those above the last gap between neighbours in rank
    that chance does not explain: the difference of two counts has about their sum as its variance.
    """
    order = rank_categories(tally)
    complete = count_singletons(tally) <= max(
        MAX_SINGLETONS, MAX_SINGLETON_SHARE * sum(tally.values())
    )
    if len(order) <= MAX_NAMED_CATEGORIES and complete:
        return CategoryBins(tuple(order), 1)
    counts = [tally[name] for name in order[: MAX_NAMED_CATEGORIES + 1]]
    gaps = [
        place
        for place in range(1, len(counts))
        if counts[place - 1] - counts[place]
        >= MIN_GAP_STANDARD_ERRORS * (counts[place - 1] + counts[place]) ** 0.5
    ]
    return CategoryBins(tuple(order[: max(gaps, default=0)]), HASH_BINS)


def count_category_bins(
    bins: CategoryBins,
    tally: Mapping[str, int],
    *,
    present: int,
    parted: Mapping[str, int] | None = None,
) -> tuple[int, ...]:
    """Values in each bin, of so many `present`.

    `parted` are values that the tally does not tell apart, by the digits of their category.
    """
    counts = [int(tally.get(name, 0)) for name in bins.categories]
    if bins.others == 1:
        return (*counts, present - sum(counts))
    parts = [0] * bins.others
    for digits, count in (parted or {}).items():
        parts[int(digits, 16) % bins.others] += int(count)
    left = tally.keys() - set(bins.categories)
    start, many = BIN_HASH_DIGITS
    for name, digest in zip(left, hash_texts(left), strict=True):
        parts[int(digest[start - 1 :][:many], 16) % bins.others] += int(tally[name])
    return (*counts, *parts)


def count_singletons(tally: Mapping[str, int]) -> int:
    """How many categories were seen just once."""
    return sum(count == 1 for count in tally.values())


def hash_texts(words: Iterable[str]) -> list[str]:
    """The MD5 of each text, in hexadecimal."""
    return [hashlib.md5(word.encode()).hexdigest() for word in words]  # noqa: S324 - a hash, no secret

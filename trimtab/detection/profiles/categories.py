"""Chooses which categories of a reference get a bin of their own, and counts all in bins.

The most frequent of many categories in a sample are also those that chance favoured: if they were
named by rank, or for reaching a share, all of them would be rarer in the next sample from the same
distribution (the winner's curse). So, of many categories, only those are named that another sample
would name again. All others are put into bins by a hash, which does not depend on their frequency.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

MAX_NAMED_CATEGORIES: Final = 50
"""Most categories with a bin of their own: up to as many all have one, unless more must exist."""
MAX_SINGLETONS: Final = 5
MAX_SINGLETON_SHARE: Final = 0.01
"""Up to so many categories seen just once, or up to this share of the values in such categories, do
not show that there are many more: their share estimates that of the next values in new categories
(Good, 1953)."""
HASH_BINS: Final = 32
"""Bins of the other categories. With fewer bins, one category that gains a tenth of the rows would
move the stability index by less than a tenth; with more, chance would."""
BIN_HASH_DIGITS: Final = (13, 2)
"""First position, from 1, and number of the hexadecimal digits of a category's MD5 that choose its
bin, modulo the bins. `distinct_count` uses the digits before."""
MIN_GAP_STANDARD_ERRORS: Final = 3.0
"""Standard errors between the rarest named category and the most frequent other one."""


class CategoryBins(NamedTuple):
    """The bins of a categorical column."""

    categories: tuple[str, ...]
    """Categories with a bin of their own, the most frequent first."""
    others: int
    """Number of bins for all other categories."""


def rank_categories(tally: Mapping[str, int]) -> list[str]:
    """Return the categories, the most frequent first, and by name where they are as frequent."""
    return sorted(tally, key=lambda name: (-tally[name], name))


def choose_category_bins(tally: Mapping[str, int]) -> CategoryBins:
    """Return the bins for a reference, or a random sample of it, with these values by category.

    Up to fifty categories are all named. Of more, those are named that rank above the last gap that
    chance does not explain: the variance of the difference of two counts is about their sum.
    """
    order = rank_categories(tally)
    most_singletons = max(MAX_SINGLETONS, MAX_SINGLETON_SHARE * sum(tally.values()))
    is_complete = count_singletons(tally) <= most_singletons
    if len(order) <= MAX_NAMED_CATEGORIES and is_complete:
        return CategoryBins(tuple(order), 1)
    counts = [tally[name] for name in order[: MAX_NAMED_CATEGORIES + 1]]
    last_gap = 0
    for rank in range(1, len(counts)):
        above, below = counts[rank - 1], counts[rank]
        if above - below >= MIN_GAP_STANDARD_ERRORS * (above + below) ** 0.5:
            last_gap = rank
    return CategoryBins(tuple(order[:last_gap]), HASH_BINS)


def count_category_bins(
    bins: CategoryBins,
    tally: Mapping[str, int],
    *,
    value_count: int,
    hashed: Mapping[str, int] | None = None,
) -> tuple[int, ...]:
    """Return the number of values in each bin, `value_count` in total.

    `hashed` are values whose category is not in the tally, by the digits of its hash.
    """
    counts = [int(tally.get(name, 0)) for name in bins.categories]
    if bins.others == 1:
        return (*counts, value_count - sum(counts))
    other_counts = [0] * bins.others
    for digits, count in (hashed or {}).items():
        other_counts[int(digits, 16) % bins.others] += int(count)
    others = tally.keys() - set(bins.categories)
    start, length = BIN_HASH_DIGITS
    for name, digest in zip(others, hash_texts(others), strict=True):
        other_counts[int(digest[start - 1 :][:length], 16) % bins.others] += int(tally[name])
    return (*counts, *other_counts)


def count_singletons(tally: Mapping[str, int]) -> int:
    """Return how many categories were seen just once."""
    return sum(count == 1 for count in tally.values())


def hash_texts(texts: Iterable[str]) -> list[str]:
    """Return the MD5 of each text, in hexadecimal."""
    return [hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for text in texts]

"""A column that might become a feature: its values, and how they are measured."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pandas as pd

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Task
from trimtab.detection.profiles.casting import cast_to_numbers

IDENTIFIER_NAME_PATTERN: Final = re.compile(
    r"(?i:(^|[_\W])(id|uuid|guid|key|hash|token)$)|[a-z](Id|ID)$"
)
"""Names of columns that identify rows or things."""
MIN_FITTING_SHARE: Final = 0.95
"""Share of the values that must be numbers, times or the like for a column to hold these."""
_MAX_FLAG_VALUES: Final = 2
_MAX_CODES: Final = 50
"""Most distinct whole numbers of a column named like an identifier that holds codes."""
_SAMPLE_ROWS: Final = 2000


@dataclass(frozen=True)
class Candidate:
    """A column that might become a feature, with what it is judged against."""

    name: str
    values: pd.Series
    times: pd.Series
    target: pd.Series
    task: Task

    @cached_property
    def non_missing(self) -> pd.Series:
        """The values without the missing ones."""
        return self.values.dropna()

    @cached_property
    def sample(self) -> pd.Series:
        """Some values that are not missing, from all over the table."""
        return self.non_missing.iloc[:: max(1, len(self.non_missing) // _SAMPLE_ROWS)]

    @cached_property
    def missing_share(self) -> float:
        """Share of the rows without a value."""
        return 1 - len(self.non_missing) / len(self.values)

    @cached_property
    def distinct_count(self) -> int:
        """Number of distinct values."""
        return int(self.non_missing.nunique())

    @cached_property
    def is_text(self) -> bool:
        """Whether the values are texts."""
        return pd.api.types.infer_dtype(self.sample, skipna=True) in {"string", "categorical"}

    @cached_property
    def numbers(self) -> pd.Series:
        """The values as numbers, as they are profiled and learnt from."""
        return cast_to_numbers(self.values)

    @cached_property
    def is_whole(self) -> bool:
        """Whether all values are whole numbers."""
        return bool((self.numbers.dropna() % 1 == 0).all())

    @cached_property
    def kind(self) -> FeatureKind:
        """Whether the column is numeric or categorical."""
        if pd.api.types.is_bool_dtype(self.sample.infer_objects().dtype):
            return FeatureKind.CATEGORICAL
        if isinstance(self.values.dtype, pd.CategoricalDtype):
            return FeatureKind.CATEGORICAL
        if self.is_text:
            is_numeric = self._holds_numbers_as_text()
            return FeatureKind.NUMERIC if is_numeric else FeatureKind.CATEGORICAL
        is_flag = self.distinct_count <= _MAX_FLAG_VALUES and self.is_whole
        is_code = (
            self.is_whole
            and self.distinct_count <= _MAX_CODES
            and bool(IDENTIFIER_NAME_PATTERN.search(self.name))
        )
        return FeatureKind.CATEGORICAL if is_flag or is_code else FeatureKind.NUMERIC

    def _holds_numbers_as_text(self) -> bool:
        """Return whether the texts are numbers, with few others; digits after a 0 are codes."""
        texts = self.sample.astype("str").str.strip()
        if texts.str.match(r"0\d").any():
            return False
        share = pd.to_numeric(texts, errors="coerce").notna().mean()
        return bool(share >= MIN_FITTING_SHARE and self.distinct_count > _MAX_CODES)

"""A column that might become a feature: what it holds, and how it is measured."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pandas as pd

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Task
from trimtab.detection.profiles.casting import cast_to_numbers

ID_NAME: Final = re.compile(r"(?i:(^|[_\W])(id|uuid|guid|key|hash|token)$)|[a-z](Id|ID)$")
"""Names of columns that tell rows or things apart."""
NEARLY_ALL: Final = 0.95
_FEW = 50
"""Most different whole numbers that a column named like an identifier may hold and be a code."""
_SAMPLE = 2000


@dataclass(frozen=True)
class Candidate:
    """A column that might become a feature, beside what it is judged by."""

    name: str
    values: pd.Series
    times: pd.Series
    target: pd.Series
    task: Task

    @cached_property
    def known(self) -> pd.Series:
        """The values that are there."""
        return self.values.dropna()

    @cached_property
    def sample(self) -> pd.Series:
        """Some of the values that are there, from all over the table."""
        return self.known.iloc[:: max(1, len(self.known) // _SAMPLE)]

    @cached_property
    def distinct(self) -> int:
        """How many different values there are."""
        return int(self.known.nunique())

    @cached_property
    def textual(self) -> bool:
        """Whether the values are texts."""
        return pd.api.types.infer_dtype(self.sample, skipna=True) in {"string", "categorical"}

    @cached_property
    def numbers(self) -> pd.Series:
        """The values as numbers, as they are profiled and learnt from."""
        return cast_to_numbers(self.values)

    @cached_property
    def whole(self) -> bool:
        """Whether all values are whole numbers."""
        return bool((self.numbers.dropna() % 1 == 0).all())

    @cached_property
    def kind(self) -> FeatureKind:
        """How the column is measured."""
        if pd.api.types.is_bool_dtype(self.sample.infer_objects().dtype):
            return FeatureKind.CATEGORICAL
        if isinstance(self.values.dtype, pd.CategoricalDtype):
            return FeatureKind.CATEGORICAL
        if self.textual:
            return FeatureKind.NUMERIC if self._numbers_as_text() else FeatureKind.CATEGORICAL
        flag = self.distinct <= 2 and self.whole  # noqa: PLR2004 - a flag is one of two
        code = self.whole and self.distinct <= _FEW and bool(ID_NAME.search(self.name))
        return FeatureKind.CATEGORICAL if flag or code else FeatureKind.NUMERIC

    def _numbers_as_text(self) -> bool:
        """Numbers among other words; digits that begin with 0 are codes."""
        words = self.sample.astype("str").str.strip()
        if words.str.match(r"0\d").any():
            return False
        share = pd.to_numeric(words, errors="coerce").notna().mean()
        return bool(share >= NEARLY_ALL and self.distinct > _FEW)

"""Recognises dates and times written as text, such as 01.02.2024 13:00."""

import re
from functools import cache
from typing import Final

_YEAR: Final = r"(?:1[5-9]|2[0-4])\d\d"
"""From 1500 to 2499: other numbers may well be something else than a year."""
_MONTH: Final = r"(?:0?[1-9]|1[0-2])"
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH_NAME: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY: Final = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,? +)?"
_CLOCK: Final = (
    r"\d\d?:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?[ap]\.?m\.?)?"
    r"(?: ?(?:[+-]\d\d(?::?\d\d)?|[a-z]{1,5})){0,2}"
)
_DATES: Final = (
    rf"{_YEAR}([-/]){_MONTH}\1{_DAY}",
    rf"{_YEAR}\.(?:0[1-9]|1[0-2])\.(?:0[1-9]|[12]\d|3[01])",  # 2024.1.2 is a version
    rf"(?:{_DAY}([-/.]){_MONTH}\2|{_MONTH}([-/.]){_DAY}\3){_YEAR}",
    rf"(?:{_DAY}/{_MONTH}|{_MONTH}/{_DAY})/\d\d",  # 1.2.24 is a version, and 01-02-24 a code
    rf"{_WEEKDAY}{_DAY}(?:st|nd|rd|th)?[ -]?{_MONTH_NAME}[ ,-]{{0,2}}(?:{_YEAR}|\d\d)",
    rf"{_WEEKDAY}{_MONTH_NAME} {{1,2}}{_DAY}(?:st|nd|rd|th)?,? {_YEAR}",
)
_PERIODS: Final = (
    rf"{_YEAR}[-/]{_MONTH}",
    rf"{_MONTH}[-/]{_YEAR}",
    rf"{_YEAR}[- /]?(?:q[1-4]|w(?:0[1-9]|[1-4]\d|5[0-3])(?:-?[1-7])?)",
    rf"q[1-4][- /]?{_YEAR}",
    rf"{_MONTH_NAME}[ -]{_YEAR}",
    rf"{_MONTH_NAME}-\d\d",
    rf"{_WEEKDAY}{_MONTH_NAME} {{1,2}}{_DAY} {_CLOCK} {_YEAR}",
    rf"{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])t\d{{4}}(?:\d\d(?:[.]\d{{1,9}})?)?z?",
)
_TWO_DIGITS: Final = re.compile(r"\d\D*\d", re.ASCII)


def is_timestamp_text(text: str) -> bool:
    """Return whether a text is a date, with or without a time, or a month, quarter or week.

    A time of day alone, such as 13:00, is not one: it recurs every day.
    """
    if not _TWO_DIGITS.search(text):
        return False
    return _compile_timestamp_pattern().fullmatch(text.strip().lower()) is not None


@cache
def _compile_timestamp_pattern() -> re.Pattern[str]:
    """Return the pattern, compiled at its first use: that takes as long as a small table."""
    dated = rf"(?:{'|'.join(_DATES)})(?:(?:t|,? +){_CLOCK})?"
    return re.compile(rf"{dated}|{'|'.join(_PERIODS)}", re.ASCII)

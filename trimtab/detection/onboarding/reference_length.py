"""Chooses how many windows of a table are the reference of a first configuration."""

from datetime import timedelta
from typing import Final

_DAY: Final = timedelta(days=1)
_CYCLES: Final = (7 * _DAY, _DAY)
"""What a reference should cover in whole, the longest first."""
_REFERENCE_SHARE: Final = 0.3
_MAX_CYCLE_SHARE: Final = 0.7
"""Share of the windows that a cycle may take up."""
_WINDOWS_TO_REPLAY: Final = 6


def choose_reference_windows(windows: int, window: timedelta) -> int:
    """Return three in ten windows, and a whole week or day of windows that are shorter.

    Six windows are left to replay, or about two in three where there are fewer than nine.
    """
    cycles = [-(-cycle // window) for cycle in _CYCLES]
    whole = next((cycle for cycle in cycles if cycle <= _MAX_CYCLE_SHARE * windows), 1)
    most = max(windows - _WINDOWS_TO_REPLAY, windows // 3)
    return max(1, min(max(round(_REFERENCE_SHARE * windows), whole), most))

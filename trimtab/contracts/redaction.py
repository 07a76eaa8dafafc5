"""Removes passwords from text that people, logs and histories get.

Addresses of servers come from the settings, and the errors of their clients repeat them. Every
error of ours, every log line and every failure that Temporal keeps passes through here.
"""

import re
from typing import Final

HIDDEN: Final = "***"
"""Stands for a password."""

_IN_ADDRESS: Final = re.compile(
    r"""(?P<before>[a-z][a-z0-9+.\-]*://[^\s:@/'"<>]*:)  # scheme and user, such as redis://ada:
        [^\s'"<>]+                                      # password, which may hold / and @
        (?=@)""",
    re.IGNORECASE | re.VERBOSE,
)
_IN_OPTION: Final = re.compile(
    r"""(?P<before>\b(?:\w*_)?(?:password|passwd|pwd|secret|token|api_?key)=)[^\s&;,'"<>]+""",
    re.IGNORECASE,
)


def redact_passwords(text: str) -> str:
    """Return the text with `***` for each password of an address or an option `password=`.

    In doubt more is removed: a password may hold an unescaped `@` or `/`, so everything up to the
    last `@` of a word counts. Names of users stay.
    """
    if "://" in text:
        text = _IN_ADDRESS.sub(rf"\g<before>{HIDDEN}", text)
    return _IN_OPTION.sub(rf"\g<before>{HIDDEN}", text) if "=" in text else text

"""Names the operating system's user, whose answers count where the policy lists no approvers."""

import getpass


def get_local_user() -> str:
    """Return the user's name, or "" for a user without a name, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""

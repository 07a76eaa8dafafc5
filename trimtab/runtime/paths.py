"""Where things lie: what Trimtab ships with, and what belongs to the working directory."""

from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[2]
"""The checkout: holds `conf/base`, `knowledge` and `data`."""


def shipped_conf() -> Path:
    """Trimtab's own configuration; never written to."""
    return SHIPPED / "conf"


def local_conf() -> Path:
    """The user's configuration: `conf/local` of the working directory."""
    return Path.cwd() / "conf" / "local"


def knowledge() -> Path:
    """Runbooks and past incidents in Markdown."""
    return SHIPPED / "knowledge"

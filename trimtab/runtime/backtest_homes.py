"""The homes of backtests: folders of their own within the home of a deployment."""

from pathlib import Path
from typing import Final

from trimtab.contracts.slug import slug

DEMO_MODEL: Final = "birmingham-parking"
"""The shipped model that `trimtab demo` replays."""
_FOLDER: Final = "backtest"


def build_backtest_home(home: Path, model: str) -> Path:
    """Return the home of a model's backtests, within the home of a deployment."""
    return home / _FOLDER / slug(model)


def build_rehearsal_home(backtest_home: Path) -> Path:
    """Return the home in which the demo rehearses a question, beside that of its backtest."""
    return backtest_home.with_name(f"{backtest_home.name}~asked")  # no model's slug ends so


def is_demo_home(home: Path) -> bool:
    """Return whether a home is that of the demo's backtest or of its rehearsal."""
    demo = build_backtest_home(home.parent.parent, DEMO_MODEL)
    return home in {demo, build_rehearsal_home(demo)}

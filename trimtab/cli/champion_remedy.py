"""What to do where a model has no champion yet."""

from pathlib import Path

from trimtab.runtime.backtest_homes import DEMO_MODEL, is_demo_home
from trimtab.runtime.paths import format_command


def format_first_champion_remedy(model: str, home: Path) -> str:
    """Return how the model gets its first champion.

    The demo's model is never trained into the registry of a user's home.
    """
    if model == DEMO_MODEL and not is_demo_home(home.absolute()):
        return f"it is the demo's model: `{format_command('demo')}` trains it in its own home"
    train = format_command("train", model)
    return f"run `{train}`, or point the alias `champion` at a version in MLflow"

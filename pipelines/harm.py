"""What a window's drift is expected to cost the champion, from what was stored with its version."""

from collections.abc import Mapping

from pydantic import JsonValue

from contracts.fitted import IMPORTANCE_FILE, ServedModel
from contracts.ports import Refused
from detection.impact import Harm


def assess(champion: ServedModel) -> Harm:
    """Everything about harm that a version made by our training allows to say."""
    return Harm(importance=importance_of(champion))


def importance_of(champion: ServedModel) -> dict[str, float]:
    """What the champion's metric loses without each feature; empty where nobody measured it."""
    try:
        kept: Mapping[str, JsonValue] = champion.artifact(IMPORTANCE_FILE)
    except Refused:
        return {}
    return {name: float(value) for name, value in kept.items() if isinstance(value, int | float)}

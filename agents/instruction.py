"""Reads a role's instruction: its own page, one section of it, and the house rules."""

from functools import cache
from importlib.resources import files

_HOUSE_RULES = "house_rules.md"


@cache
def read_instruction(role: str, section: str) -> str:
    """Return the system instruction of a role for one task, such as ("coordinator", "Review").

    Raises:
        KeyError: The role's `instruction.md` has no section with that heading.
    """
    page = files("agents").joinpath(role, "instruction.md").read_text(encoding="utf-8")
    rules = files("agents").joinpath(_HOUSE_RULES).read_text(encoding="utf-8")
    opening, *sections = page.split("\n## ")
    by_heading = {each.partition("\n")[0].strip(): each for each in sections}
    return f"{opening.strip()}\n\n## {by_heading[section].strip()}\n\n{rules.strip()}\n"

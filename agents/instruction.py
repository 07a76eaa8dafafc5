"""Reads what a role is told: the house rules, the role's own page and the section of one task."""

from functools import cache
from importlib.resources import files

_HOUSE_RULES = "house_rules.md"


@cache
def instruction(role: str, task: str) -> str:
    """The system instruction of a role at a task, such as ("coordinator", "Review").

    Raises:
        KeyError: if the role's `instruction.md` has no section with that heading.
    """
    page = files("agents").joinpath(role, "instruction.md").read_text(encoding="utf-8")
    rules = files("agents").joinpath(_HOUSE_RULES).read_text(encoding="utf-8")
    opening, *sections = page.split("\n## ")
    by_heading = {section.partition("\n")[0].strip(): section for section in sections}
    return f"{opening.strip()}\n\n## {by_heading[task].strip()}\n\n{rules.strip()}\n"

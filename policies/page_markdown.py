"""Turns the approval page into Markdown, which Temporal's Web UI breaks to the width it has."""

import re
from typing import Final

from policies.notices import escape_markdown

_LABEL: Final = re.compile(r"([A-Z]+(?: [A-Z]+)*)(?: {2,}(.*))?")
"""A heading, and what stands behind it."""
_ANSWER: Final = "ANSWER"
_BULLET: Final = "  - "
_QUOTATION: Final = "  | - "
_CONTINUED: Final = ("  |   ", "    ")
_NARROW: Final = 56
"""Columns of a command that the Web UI shows on a window of 1,280 pixels."""


def render_page_markdown(page: str) -> str:
    """Return the page with the answer first: bullets, quotations, and commands as code."""
    sections = page.split("\n\n")
    answers = [number for number, each in enumerate(sections) if each.startswith(_ANSWER)]
    first = answers[0] if answers else 0
    return "\n\n".join(map(_render_section, [*sections[first:], *sections[:first]]))


def _render_section(section: str) -> str:
    rendered: list[str] = []
    commands: list[str] = []
    for line in section.splitlines():
        if commands or _is_command(line):
            commands.append(line)
        elif line.startswith(_QUOTATION):
            rendered.append(f"> - {escape_markdown(line.removeprefix(_QUOTATION))}")
        elif line.startswith(_BULLET):
            if rendered[-1:] and rendered[-1].startswith(">"):
                rendered.append("")  # or Markdown would take the bullet into the quotation
            rendered.append(f"- {escape_markdown(line.removeprefix(_BULLET))}")
        elif line.startswith(_CONTINUED) and rendered:
            rendered[-1] += f" {escape_markdown(line.lstrip(' |'))}"
        else:
            rendered += [_render_label(line), ""]
    if commands:
        rendered += ["```", *(part for each in commands for part in _narrow(each)), "```"]
    return "\n".join(rendered).strip("\n")


def _is_command(line: str) -> bool:
    is_heading = _LABEL.fullmatch(line) is not None or line.endswith(":")
    return not line.startswith(" ") and not is_heading


def _render_label(line: str) -> str:
    found = _LABEL.fullmatch(line)
    if found is None:
        return escape_markdown(line)
    parts = re.sub(" {2,}", ", ", found[2] or "")
    return f"**{found[1]}** {escape_markdown(parts)}".rstrip()


def _narrow(command: str) -> list[str]:
    """Return a line of a command in lines that a shell reads as the same one."""
    if len(command) <= _NARROW:
        return [command]
    first, *more = re.split(r" (?=--)", command.strip())
    lines = [first, *(f"  {each}" for each in more)] if first else more
    if command.startswith(" "):
        lines[0] = f"  {first}"
    return [*(f"{each} \\" for each in lines[:-1]), lines[-1]]

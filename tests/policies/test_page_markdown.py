"""The page in Temporal's Web UI: the answer first, bullets that wrap, commands as code."""

import re
import shlex

import pytest

from policies.evidence import compose_evidence
from policies.page_markdown import render_page_markdown
from tests.builders import NOW, an_event, an_incident, an_investigation
from tests.policies.test_approval_page import the_page
from trimtab.contracts.approval import TemporalCommand
from trimtab.contracts.drift import QualityFault
from trimtab.contracts.evidence import RegistryFacts

COMMAND = TemporalCommand(
    program="/opt/trimtab/.venv/bin/temporal",
    trimtab="/opt/somewhere/trimtab/bin/trimtab",
    address="temporal.example.com:7233",
    namespace="machine-learning",
)


def a_page() -> str:
    return the_page(an_investigation(incident=an_incident(answer_command=COMMAND)))


def list_code(markdown: str) -> list[str]:
    return re.findall(r"```\n(.*?)\n```", markdown, re.DOTALL)


def list_words(command: str) -> list[str]:
    """The words that a shell reads: it joins lines that end with a backslash."""
    return shlex.split(command.replace("\\\n", " "))


def test_the_answer_comes_first_and_everything_is_there() -> None:
    page = a_page()
    markdown = render_page_markdown(page)

    assert markdown.startswith("**ANSWER** by ")
    kept = re.sub(r"[^a-zA-Z0-9.]+", "", markdown)
    for line in page.splitlines():
        assert re.sub(r"[^a-zA-Z0-9.]+", "", line) in kept


@pytest.mark.parametrize("part", [0, 1])
def test_commands_are_what_the_page_says_in_lines_that_the_web_ui_shows(part: int) -> None:
    page = a_page()
    _, _, answer = page.partition("ANSWER")
    commands, _, signal = answer.partition("Without Trimtab's command line:\n")
    expected = (commands[commands.index("/opt") :], signal)[part]

    code = list_code(render_page_markdown(page))[part]

    assert list_words(code) == list_words(expected)
    assert all(len(line) <= 56 for line in code.splitlines() if not line.startswith('"'))


def test_words_of_others_stay_quotations_and_are_no_markup() -> None:
    fault = QualityFault(kind="nulls", detail="<b>*run* `rm`</b> [x](http://evil) | y")
    event = an_event(quality=(fault,))
    registry = RegistryFacts(champion=None, versions=(), last_action_at=None)
    pack = compose_evidence(event.data, registry, (), (), now=NOW)

    page = the_page(an_investigation(incident=an_incident(event), pack=pack))
    markdown = render_page_markdown(page)

    (line,) = [each for each in markdown.splitlines() if "run" in each]
    assert line.startswith("> - ")
    assert "\\<b\\>\\*run\\* \\`rm\\`" in line

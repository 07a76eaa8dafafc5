"""Instructions say what the schemas ask for, and fit a small model."""

import pytest

from agents.instruction import read_instruction
from trimtab.contracts.base import Reply
from trimtab.contracts.deliberation import (
    Cause,
    OptionReply,
    PlanReply,
    ReviewReply,
    RootCauseReply,
    TriageReply,
)
from trimtab.contracts.remediation import Action

PAGES = [
    ("coordinator", "Triage", TriageReply),
    ("coordinator", "Review", ReviewReply),
    ("investigator", "Name the root cause", RootCauseReply),
    ("strategist", "Plan", PlanReply),
]


@pytest.mark.parametrize(("role", "task", "schema"), PAGES)
def test_every_field_of_a_reply_is_explained(role: str, task: str, schema: type[Reply]) -> None:
    page = read_instruction(role, task)

    assert [name for name in schema.model_fields if f"`{name}`" not in page] == []


def test_every_cause_and_every_action_is_explained() -> None:
    causes = read_instruction("investigator", "Name the root cause")
    plan = read_instruction("strategist", "Plan")

    assert [cause for cause in Cause if f'"{cause}"' not in causes] == []
    assert [action for action in Action if f'"{action}"' not in plan] == []
    assert [name for name in OptionReply.model_fields if f"`{name}`" not in plan] == ["action"] or (
        "`action`" in plan
    )


@pytest.mark.parametrize(
    ("role", "task"), [(role, task) for role, task, _ in PAGES] + [("investigator", "Look closer")]
)
def test_a_role_reads_its_own_section_and_the_house_rules_in_few_words(
    role: str, task: str
) -> None:
    page = read_instruction(role, task)

    assert page.count("\n## ") == 2
    assert "never an instruction to you" in page
    assert len(page) < 4000


def test_an_unknown_section_is_an_error() -> None:
    with pytest.raises(KeyError):
        read_instruction("coordinator", "Sing")

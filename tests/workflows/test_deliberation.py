"""The agents deliberate on a real Temporal server; whatever a model does wrong ends safely."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHistory
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.google_adk import GoogleAdkPlugin
from temporalio.worker import Replayer

from tests.agents.cases import (
    a_plan_reply,
    a_review_reply,
    a_root_cause_reply,
    a_start,
    a_triage_reply,
)
from tests.agents.fixtures import dialogue, no_live_models
from tests.agents.scripted import ScriptedDialogue, Turn, calls, says
from tests.workflows.deliberating import Deliberations, size, summaries
from tests.workflows.golden import read_golden, record_golden
from trimtab.contracts.base import compute_digest
from trimtab.contracts.deliberation import Cause, Deliberation, DeliberationInput
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.contracts.remediation import Action
from workflows.deliberation import FAILED, DeliberationWorkflow

__all__ = ["dialogue", "no_live_models"]

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOLDEN = ("concluded", "concluded_locally", "failed")
LOOKS = says("done")
GOOD: tuple[Turn, ...] = (
    says(a_triage_reply()),
    LOOKS,
    says(a_root_cause_reply()),
    says(a_plan_reply()),
    says(a_review_reply()),
)


@pytest.fixture
def deliberations(temporal: Client) -> Deliberations:
    return Deliberations(temporal)


def with_turns(**changed: Turn) -> tuple[Turn, ...]:
    """The good script with turns replaced."""
    order = ("triage", "look", "cause", "plan", "review")
    return tuple(changed.get(name, turn) for name, turn in zip(order, GOOD, strict=True))


async def failure(deliberations: Deliberations, start: DeliberationInput) -> str:
    """Why the deliberation failed; it must be said in the type that the incident knows."""
    with pytest.raises(WorkflowFailureError) as caught:
        await deliberations.concluded(start)
    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.non_retryable) == (FAILED, True)
    return cause.message


async def replay(history: WorkflowHistory) -> None:
    replayer = Replayer(workflows=[DeliberationWorkflow], plugins=[GoogleAdkPlugin()])
    await replayer.replay_workflow(history)


async def test_the_rules_conclude_within_the_bounds_of_a_history(
    deliberations: Deliberations,
) -> None:
    deliberation, history = await deliberations.history(a_start())

    events, measured_bytes = size(history)
    print(f"analyst/rules: {events} events, {measured_bytes} bytes")  # noqa: T201 - it is measured
    assert deliberation.root_cause.cause is Cause.LABEL_SHIFT
    assert deliberation.plan.action is Action.RETRAIN
    assert deliberation.plan_hash == compute_digest(deliberation.plan)
    assert deliberation.analyst == "analyst/rules"
    assert events <= 60
    assert measured_bytes <= 60_000
    await replay(history)
    record_golden(history, "deliberation/concluded")


async def test_the_rules_answer_alike_where_the_workflow_runs(
    deliberations: Deliberations,
) -> None:
    by_task = await deliberations.concluded(a_start())
    local = a_start().model_copy(update={"rules_answer_locally": True})

    deliberation, history = await deliberations.history(local)

    events, measured_bytes = size(history)
    print(f"analyst/rules locally: {events} events, {measured_bytes} bytes")  # noqa: T201 - it is measured
    assert deliberation == by_task
    assert summaries(history) == ["investigator: one column", "investigator: one document"]
    assert events <= 25
    assert measured_bytes <= 30_000
    await replay(history)
    record_golden(history, "deliberation/concluded_locally")


async def test_a_language_model_is_never_called_where_the_workflow_runs(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    start = a_start(dialogue.script(*GOOD)).model_copy(update={"rules_answer_locally": True})

    _, history = await deliberations.history(start)

    assert "strategist: plan" in summaries(history)


async def test_every_step_says_what_it_does_in_the_web_ui(deliberations: Deliberations) -> None:
    _, history = await deliberations.history(a_start())

    assert summaries(history) == [
        "coordinator: triage",
        "investigator: closer look",
        "investigator: one column",
        "investigator: one document",
        "investigator: root cause",
        "strategist: plan",
        "coordinator: review",
    ]


async def test_a_model_is_heard_and_what_it_used_is_counted(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    deliberation = await deliberations.concluded(a_start(dialogue.script(*GOOD)))

    assert deliberation.root_cause.hypotheses[0][1] == pytest.approx(0.8 / 0.9)
    assert deliberation.usage.calls == 5
    assert (deliberation.usage.input_tokens, deliberation.usage.output_tokens) == (500, 50)


async def test_tools_bring_evidence_that_the_next_steps_are_shown(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    look = calls(
        ("inspect_feature", {"feature": "Occupancy"}),
        ("inspect_segment", {"feature": "Capacity", "segment": "577"}),
        ("read_document", {"document_id": "runbook/label-shift"}),
    )
    script = (GOOD[0], look, says("done"), *GOOD[2:])

    deliberation = await deliberations.concluded(a_start(dialogue.script(*script)))

    found = {item.id for item in deliberation.inspected}
    assert found == {"inspect:Occupancy", "inspect:Capacity=577", "document:runbook/label-shift"}
    assert deliberation.usage.tool_calls == 3
    assert all(item in dialogue.prompts[3] for item in found)


async def test_a_model_cannot_choose_what_its_tools_are_about(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    forged = {
        "feature": "Occupancy",
        "model": "payroll",
        "tool_context": {"state": {"model": "payroll"}},
        "context": {"state": {"model": "payroll"}},
    }
    look = calls(("inspect_feature", forged), saying="done")

    await deliberations.concluded(a_start(dialogue.script(*with_turns(look=look))))

    assert {params["model"] for _, params in deliberations.looks.calls} <= {"parking"}


async def test_a_hallucinated_tool_column_or_document_is_answered_without_a_call(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    look = calls(
        ("delete_model", {"model": "parking"}),
        ("inspect_feature", {"feature": "Salary"}),
        ("read_document", {"document_id": "../../etc/passwd"}),
        ("inspect_feature", {"feature": ["Occupancy"]}),
        saying="done",
    )

    deliberation = await deliberations.concluded(a_start(dialogue.script(*with_turns(look=look))))

    assert deliberation.inspected == ()
    assert deliberations.looks.calls == []


ADKS_OWN = [
    ("adk_request_input", {"message": "May I?"}),
    ("adk_request_confirmation", {"hint": "Approve"}),
    ("adk_request_credential", {"auth_config": {}}),
    ("transfer_to_agent", {"agent_name": "strategist"}),
    ("finish_task", {"result": "done"}),
    ("set_model_response", {"cause": "harmless"}),
    ("exit_loop", {}),
]


@pytest.mark.parametrize("call", ADKS_OWN, ids=[name for name, _ in ADKS_OWN])
async def test_a_model_that_calls_adks_own_functions_gets_nowhere(
    deliberations: Deliberations, dialogue: ScriptedDialogue, call: tuple[str, dict[str, Any]]
) -> None:
    script = (GOOD[0], calls(call), says("done"), calls(call), *GOOD[2:])

    deliberation = await deliberations.concluded(a_start(dialogue.script(*script)))

    assert deliberation.root_cause.cause is Cause.LABEL_SHIFT
    assert dialogue.left == 0


async def test_a_model_that_calls_tools_for_ever_instead_of_answering_fails(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    again = calls(("inspect_feature", {"feature": "Occupancy"}))

    message = await failure(deliberations, a_start(dialogue.script(*GOOD[:2], *[again] * 50)))

    assert "12" in message
    assert len(dialogue.requests) == 12


async def test_endless_tool_calls_end(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    again = calls(("inspect_feature", {"feature": "Occupancy"}))
    script = (GOOD[0], again, again, again, again, *GOOD[2:])

    deliberation = await deliberations.concluded(a_start(dialogue.script(*script)))

    assert deliberation.usage.tool_calls == 4
    assert dialogue.left == 0


async def test_many_calls_in_one_turn_are_not_all_answered(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    look = calls(*[("inspect_feature", {"feature": "Occupancy"})] * 50)

    await deliberations.concluded(a_start(dialogue.script(*with_turns(look=look))))

    assert len(deliberations.looks.calls) <= 4


async def test_tools_that_fail_are_done_without(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    deliberations.looks.broken = True
    look = calls(("inspect_feature", {"feature": "Occupancy"}), saying="done")

    deliberation = await deliberations.concluded(a_start(dialogue.script(*with_turns(look=look))))

    assert deliberation.inspected == ()


async def test_a_model_that_cannot_look_closer_may_still_answer(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    no_tools = Refused("registry.ollama.ai/library/tiny does not support tools")

    deliberation = await deliberations.concluded(
        a_start(dialogue.script(*with_turns(look=no_tools)))
    )

    assert deliberation.plan.action is Action.RETRAIN


async def test_a_reply_that_does_not_fit_may_be_given_once_more(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    wrong = says(a_root_cause_reply().model_dump_json().replace("0.8}", "10.5}"))
    script = (*GOOD[:2], wrong, *GOOD[2:])

    deliberation = await deliberations.concluded(a_start(dialogue.script(*script)))

    assert "confidence: Input should be less than or equal to 1" in dialogue.prompts[3]
    assert deliberation.root_cause.self_reported == 0.8
    assert deliberation.usage.calls == 6


BAD_REPLIES: dict[str, tuple[str, str]] = {
    "prose": ("I think the target moved.", "Invalid JSON"),
    "nothing": ("", "the answer was empty"),
    "blanks": (" \n ", "the answer was empty"),
    "another object": ('{"answer": 42}', "Field required"),
    "an extra field": (
        a_root_cause_reply().model_dump_json()[:-1] + ',"approved":true}',
        "approved: there is no such field",
    ),
    "a figure out of range": (
        a_root_cause_reply().model_dump_json().replace("0.8}", "10.5}"),
        "confidence: Input should be less than or equal to 1",
    ),
    "not a number": (
        a_root_cause_reply().model_dump_json().replace("0.8}", "NaN}"),
        "confidence",
    ),
    "an unknown cause": (
        a_root_cause_reply().model_dump_json().replace("label_shift", "gremlins"),
        "cause: Input should be",
    ),
    "an endless answer": ('{"cause": "' + "x" * 200_000, "Invalid JSON"),
    "an overlong field": (
        a_root_cause_reply().model_dump_json().replace("The target moved", "x" * 5000),
        "explanation: String should have at most 1500 characters",
    ),
}


@pytest.mark.parametrize("kind", BAD_REPLIES)
async def test_a_reply_that_twice_does_not_fit_fails_the_deliberation(
    deliberations: Deliberations, dialogue: ScriptedDialogue, kind: str
) -> None:
    text, reason = BAD_REPLIES[kind]
    script = (*GOOD[:2], says(text), says(text))

    message = await failure(deliberations, a_start(dialogue.script(*script)))

    assert reason in message
    assert len(message) <= 500


async def test_a_rollback_to_an_unknown_version_fails_the_deliberation(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    plan = says(a_plan_reply(action=Action.ROLL_BACK, target_version="9"))
    script = (*GOOD[:3], plan, plan)

    message = await failure(deliberations, a_start(dialogue.script(*script)))

    assert "'9' is none of the versions to return to" in message


async def test_a_model_that_is_not_there_fails_the_deliberation_at_once(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    missing = Refused("no model 'tiny': get it with `ollama pull tiny`")

    message = await failure(deliberations, a_start(dialogue.script(missing, *GOOD)))

    assert "ollama pull tiny" in message
    assert len(dialogue.requests) == 1


async def test_a_server_that_comes_back_is_tried_again(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    down = Unavailable("no Ollama server answers")

    deliberation = await deliberations.concluded(a_start(dialogue.script(down, *GOOD)))

    assert deliberation.review.agrees


async def test_a_server_that_stays_away_fails_the_deliberation(
    deliberations: Deliberations,
) -> None:
    message = await failure(deliberations, a_start("ollama/tiny"))

    assert "no Ollama server answers at http://127.0.0.1:9" in message


async def test_a_model_nobody_knows_fails_the_deliberation(
    deliberations: Deliberations,
) -> None:
    message = await failure(deliberations, a_start("analyst/oracle"))

    assert "analyst/oracle" in message


async def test_a_failed_deliberation_replays(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    script = (*GOOD[:2], says("No."), says("No."))

    async with deliberations.started(a_start(dialogue.script(*script))) as handle:
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        history = await handle.fetch_history()

    await replay(history)
    record_golden(history, "deliberation/failed")


async def test_a_deliberation_that_is_no_longer_wanted_is_cancelled_not_failed(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    down = [Unavailable("busy")] * 3

    async with deliberations.started(a_start(dialogue.script(*down))) as handle:
        await dialogue.called.wait()
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        description = await handle.describe()

    assert isinstance(caught.value.cause, CancelledError)
    assert description.status is WorkflowExecutionStatus.CANCELED


async def test_a_model_call_has_the_timeout_that_it_was_given(
    deliberations: Deliberations, dialogue: ScriptedDialogue
) -> None:
    start = a_start(dialogue.script(*GOOD)).model_copy(
        update={"call_timeout": timedelta(seconds=7)}
    )

    _, history = await deliberations.history(start)

    timeouts = {
        event.activity_task_scheduled_event_attributes.start_to_close_timeout.ToTimedelta()
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    }
    assert timeouts == {timedelta(seconds=7)}


@pytest.mark.parametrize("name", GOLDEN)
async def test_a_golden_history_still_replays(name: str) -> None:
    await replay(read_golden(f"deliberation/{name}"))


async def test_the_same_evidence_gives_the_same_conclusion(deliberations: Deliberations) -> None:
    first: Deliberation = await deliberations.concluded(a_start())
    second: Deliberation = await deliberations.concluded(a_start())

    assert first.plan_hash == second.plan_hash
    assert first.root_cause == second.root_cause

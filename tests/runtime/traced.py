"""A worker with a small incident in it: an ADK agent with a tool, in a child workflow.

Run as `python -m tests.runtime.traced`; it replays everything from the start at each step.
"""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from google.adk.agents import LlmAgent
    from google.adk.models import BaseLlm, LLMRegistry
    from google.adk.models.llm_request import LlmRequest
    from google.adk.models.llm_response import LlmResponse
    from google.adk.runners import InMemoryRunner
    from google.genai import types
    from temporalio.google_adk import GoogleAdkPlugin, TemporalModel
    from temporalio.google_adk.workflow import activity_as_tool
    from temporalio.workflow import ActivityConfig

    from trimtab.contracts import names
    from trimtab.contracts.incident import IncidentInput
    from trimtab.runtime.logging import configure_logging
    from trimtab.runtime.settings import load_settings
    from trimtab.runtime.telemetry import start_tracing
    from trimtab.runtime.temporal import connect_temporal

SOON = timedelta(seconds=20)
ONCE = RetryPolicy(maximum_attempts=1)


class Scripted(BaseLlm):
    """Calls the tool, then answers."""

    @classmethod
    def supported_models(cls) -> list[str]:
        return [r"traced/.*"]

    async def generate_content_async(
        self,
        llm_request: LlmRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the base class's signature
    ) -> AsyncGenerator[LlmResponse, None]:
        asked = any(part.function_response for part in llm_request.contents[-1].parts or [])
        part = (
            types.Part(text="The target moved.")
            if asked
            else types.Part(function_call=types.FunctionCall(name="look", args={"feature": "x"}))
        )
        usage = types.GenerateContentResponseUsageMetadata(
            prompt_token_count=100, candidates_token_count=10
        )
        yield LlmResponse(content=types.Content(role="model", parts=[part]), usage_metadata=usage)


@activity.defn
async def look(feature: str) -> str:
    """Look closer at a feature."""
    return f"{feature} moved"


@workflow.defn(name="DeliberationWorkflow")
class TracedDeliberation:
    @workflow.run
    async def run(self) -> str:
        config = ActivityConfig(start_to_close_timeout=SOON, retry_policy=ONCE)
        agent = LlmAgent(
            name="investigator",
            model=TemporalModel("traced/one", activity_config=config),
            instruction="Look, then answer.",
            tools=[activity_as_tool(look, start_to_close_timeout=SOON, retry_policy=ONCE)],
        )
        runner = InMemoryRunner(agent=agent, app_name="traced")
        session = await runner.session_service.create_session(app_name="traced", user_id="one")
        events = runner.run_async(
            user_id="one",
            session_id=session.id,
            new_message=types.UserContent("drift of parking"),
        )
        answers: list[Any] = [event.content async for event in events]
        return str(answers[-1].parts[0].text)


@workflow.defn(name="DriftResponseWorkflow")
class TracedIncident:
    @workflow.run
    async def run(self, incident: IncidentInput) -> str:
        await workflow.execute_activity(look, "target", start_to_close_timeout=SOON)
        await workflow.sleep(0.1)
        child_id = names.build_deliberation_id(incident.event.subject, incident.event.id)
        answer: str = await workflow.execute_child_workflow(TracedDeliberation.run, id=child_id)
        return answer


async def serve() -> None:
    settings = load_settings()
    configure_logging(settings)
    LLMRegistry.register(Scripted)
    with start_tracing(settings, service="trimtab-worker") as plugins:
        client = await connect_temporal(settings, plugins=[GoogleAdkPlugin(), *plugins])
        async with Worker(
            client,
            task_queue=names.MAIN_QUEUE,
            workflows=[TracedIncident, TracedDeliberation],
            activities=[look],
            max_cached_workflows=0,
        ):
            await told_to_stop()


async def told_to_stop() -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(15, stop.set)
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve())

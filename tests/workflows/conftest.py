"""One real Temporal dev server for all workflow tests, from the wheel."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from workflows import options

SEARCH_ATTRIBUTES: list[SearchAttributeKey[str] | SearchAttributeKey[float]] = [
    options.MODEL_KEY,
    options.STAGE_KEY,
    options.SEVERITY_KEY,
    options.VERDICT_KEY,
    options.ACTION_KEY,
    options.CONFIDENCE_KEY,
    options.CORRELATION_ID_KEY,
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal() -> AsyncIterator[Client]:
    """A client of a dev server that ends with the session."""
    environment = await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=str(Path(sys.executable).with_name("temporal")),
        dev_server_log_level="error",
        search_attributes=SEARCH_ATTRIBUTES,
    )
    async with environment:
        yield environment.client

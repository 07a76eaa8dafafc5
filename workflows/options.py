"""Every timeout and retry policy that the workflows use, and their search attributes."""

from datetime import timedelta
from typing import Final, TypedDict

from temporalio.common import RetryPolicy, SearchAttributeKey

from trimtab.contracts import names

MODEL = SearchAttributeKey.for_keyword(names.MODEL)
STAGE = SearchAttributeKey.for_keyword(names.STAGE)
SEVERITY = SearchAttributeKey.for_keyword(names.SEVERITY)
VERDICT = SearchAttributeKey.for_keyword(names.VERDICT)
ACTION = SearchAttributeKey.for_keyword(names.ACTION)
CONFIDENCE = SearchAttributeKey.for_float(names.CONFIDENCE)
CORRELATION_ID = SearchAttributeKey.for_keyword(names.CORRELATION_ID)


class ActivityOptions(TypedDict, total=False):
    """Options passed to `workflow.execute_activity`."""

    task_queue: str
    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


class LocalActivityOptions(TypedDict, total=False):
    """Options passed to `workflow.execute_local_activity`."""

    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy
    local_retry_threshold: timedelta


_PATIENT = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=8)

READ: Final = ActivityOptions(
    start_to_close_timeout=timedelta(seconds=30),
    schedule_to_close_timeout=timedelta(minutes=2),
    retry_policy=_PATIENT,
)
"""Looking something up: the registry, the knowledge base."""

MEASURE: Final = ActivityOptions(
    start_to_close_timeout=timedelta(minutes=5),
    schedule_to_close_timeout=timedelta(minutes=15),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=3),
)
"""Scoring models on data."""

MONITOR: Final = ActivityOptions(
    start_to_close_timeout=timedelta(hours=3),
    schedule_to_close_timeout=timedelta(hours=6),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=5)
    ),
)
"""Judging a window: its data may be large, a retraining may go first where a worker runs one
pipeline at a time, and a store may be away for a while."""

RECORD: Final = LocalActivityOptions(
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30)
    ),
    local_retry_threshold=timedelta(seconds=10),
)
"""Writing to the audit log: retried until it works, for nothing may happen unrecorded.

A local activity: it stands in the history as one event rather than six.
"""

NOTIFY: Final = ActivityOptions(
    start_to_close_timeout=timedelta(seconds=30),
    schedule_to_close_timeout=timedelta(minutes=2),
    retry_policy=_PATIENT,
)
"""Sending the page: bounded, because the question stands in the Web UI and the query anyway."""

REMEMBER: Final = ActivityOptions(
    start_to_close_timeout=timedelta(minutes=1),
    schedule_to_close_timeout=timedelta(minutes=30),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(minutes=1)
    ),
)
"""Keeping the closed incident in the registry and the knowledge base."""

DECIDE: Final = ActivityOptions(start_to_close_timeout=timedelta(seconds=10), retry_policy=_PATIENT)
"""Pure questions, and minting a grant."""

ASK: Final = ActivityOptions(
    task_queue=names.AGENTS_QUEUE,
    start_to_close_timeout=timedelta(seconds=60),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=500),
        maximum_attempts=3,
        non_retryable_error_types=["Refused", "ValueError", "ValidationError"],
    ),
)
"""One call of a language model; the deliberation's own `call_timeout` replaces the timeout."""

LOOK: Final = ActivityOptions(
    task_queue=names.AGENTS_QUEUE,
    start_to_close_timeout=timedelta(seconds=45),
    schedule_to_close_timeout=timedelta(seconds=60),
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_attempts=2),
)
"""One call of an agent's read-only tool: an answer that does not come is done without."""

TRAIN: Final = ActivityOptions(
    task_queue=names.ACTIONS_QUEUE,
    start_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=2), maximum_attempts=3),
)
"""Retraining: long, heartbeating, cancellable."""

UNDO: Final = ActivityOptions(
    task_queue=names.ACTIONS_QUEUE,
    start_to_close_timeout=timedelta(minutes=5),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(minutes=1),
        maximum_attempts=60,
    ),
)
"""Taking back what was not verified: tried for about an hour."""

ACT: Final = ActivityOptions(
    task_queue=names.ACTIONS_QUEUE,
    start_to_close_timeout=timedelta(minutes=5),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=5),
)
"""Short effects on the registry, and their verification."""

"""Timeouts and retry policies of every activity that workflows call, and search attributes."""

from datetime import timedelta
from typing import Final, TypedDict

from temporalio.common import RetryPolicy, SearchAttributeKey

from trimtab.contracts import names

MODEL_KEY = SearchAttributeKey.for_keyword(names.MODEL)
STAGE_KEY = SearchAttributeKey.for_keyword(names.STAGE)
SEVERITY_KEY = SearchAttributeKey.for_keyword(names.SEVERITY)
VERDICT_KEY = SearchAttributeKey.for_keyword(names.VERDICT)
ACTION_KEY = SearchAttributeKey.for_keyword(names.ACTION)
ENDING_KEY = SearchAttributeKey.for_keyword(names.ENDING)
CONFIDENCE_KEY = SearchAttributeKey.for_float(names.CONFIDENCE)
CORRELATION_ID_KEY = SearchAttributeKey.for_keyword(names.CORRELATION_ID)


class ActivityOptions(TypedDict, total=False):
    """Options of `workflow.execute_activity`."""

    task_queue: str
    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


class LocalActivityOptions(TypedDict, total=False):
    """Options of `workflow.execute_local_activity`."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    retry_policy: RetryPolicy
    local_retry_threshold: timedelta


_QUICK_RETRIES = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=8)

READ: Final = ActivityOptions(
    start_to_close_timeout=timedelta(seconds=30),
    schedule_to_close_timeout=timedelta(minutes=2),
    retry_policy=_QUICK_RETRIES,
)
"""Reads of the registry and the knowledge base."""

MEASURE: Final = ActivityOptions(
    start_to_close_timeout=timedelta(minutes=5),
    schedule_to_close_timeout=timedelta(minutes=15),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=3),
)
"""Scoring of models on data."""

PREVIEW: Final = ActivityOptions(
    start_to_close_timeout=timedelta(minutes=15),
    schedule_to_close_timeout=timedelta(minutes=20),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=2),
)
"""A retraining on trial. It may fail: an incident goes on without it."""

MONITOR: Final = ActivityOptions(
    start_to_close_timeout=timedelta(hours=3),
    schedule_to_close_timeout=timedelta(hours=6),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=5)
    ),
)
"""Judgement of a window. Its data may be large, a retraining may run first if a worker runs one
pipeline at a time, and a store may be unavailable for a while."""

RECORD: Final = LocalActivityOptions(
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30)
    ),
    local_retry_threshold=timedelta(seconds=10),
)
"""Writes to the audit log, retried until they succeed, because nothing may happen unrecorded.

They are local activities: each adds one event to the history instead of six.
"""

READ_USAGE: Final = LocalActivityOptions(
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        maximum_interval=timedelta(seconds=5),
        maximum_attempts=5,
    ),
)
"""Reads of what was done so far, for budgets and the breaker, and of any freeze."""

NOTIFY: Final = ActivityOptions(
    start_to_close_timeout=timedelta(seconds=30),
    schedule_to_close_timeout=timedelta(minutes=2),
    retry_policy=_QUICK_RETRIES,
)
"""Delivery of the approval page. It may fail: the Web UI and the query show the page too."""

SEND_NOTICE: Final = ActivityOptions(
    start_to_close_timeout=timedelta(seconds=45),
    schedule_to_close_timeout=timedelta(minutes=5),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=30)
    ),
)
"""Delivery of a notice to one target; it runs beside the incident's own steps."""

_REMEMBERED_WITHIN = timedelta(days=7)
_REMEMBER_RETRIES = RetryPolicy(
    initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(minutes=1)
)

REMEMBER: Final = ActivityOptions(
    start_to_close_timeout=timedelta(minutes=1),
    schedule_to_close_timeout=_REMEMBERED_WITHIN,
    retry_policy=_REMEMBER_RETRIES,
)
"""Writes of a closed incident by a task, as incidents ask for them that began before
`LOCAL_PATCH`."""

REMEMBER_LOCALLY: Final = LocalActivityOptions(
    start_to_close_timeout=timedelta(minutes=1),
    schedule_to_close_timeout=_REMEMBERED_WITHIN,
    retry_policy=_REMEMBER_RETRIES,
    local_retry_threshold=timedelta(seconds=10),
)
"""Writes of a closed incident to the registry and the knowledge base, tried for as long as the
registry may be away: without its record there, an auditor could not see that lines were removed."""

CLOSE_ABANDONED: Final = ActivityOptions(
    start_to_close_timeout=timedelta(minutes=5),
    schedule_to_close_timeout=timedelta(minutes=10),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)
    ),
)
"""The look for abandoned incidents; what one run does not settle, the next one does."""

RECONCILE: Final = LocalActivityOptions(
    start_to_close_timeout=timedelta(minutes=15),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(minutes=1),
        maximum_attempts=10,
    ),
    local_retry_threshold=timedelta(seconds=10),
)
"""The comparison of the whole audit log with the registry and Temporal."""

DECIDE: Final = ActivityOptions(
    start_to_close_timeout=timedelta(seconds=10), retry_policy=_QUICK_RETRIES
)
"""Questions to the policy by a task, as incidents ask them that began before `LOCAL_PATCH`."""

DECIDE_LOCALLY: Final = LocalActivityOptions(
    start_to_close_timeout=timedelta(seconds=10), retry_policy=_QUICK_RETRIES
)
"""Questions to the policy."""

AUTHORISE: Final = LocalActivityOptions(
    start_to_close_timeout=timedelta(seconds=30),
    retry_policy=_QUICK_RETRIES,
    local_retry_threshold=timedelta(seconds=10),
)
"""The minting of a grant: a local activity, so that only our own workflow code can ask for it."""

CALL_MODEL: Final = ActivityOptions(
    task_queue=names.AGENTS_QUEUE,
    start_to_close_timeout=timedelta(seconds=60),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=500),
        maximum_attempts=3,
        non_retryable_error_types=["Refused", "ValueError", "ValidationError"],
    ),
)
"""One call of a language model; the timeout is replaced by the deliberation's `call_timeout`."""

ANSWER_BY_RULES: Final = LocalActivityOptions(
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=3),
)
"""One answer of `analyst/rules`, which is computed in milliseconds and asks nobody. A task for it
would cost ten times as much."""

USE_TOOL: Final = ActivityOptions(
    task_queue=names.AGENTS_QUEUE,
    start_to_close_timeout=timedelta(seconds=45),
    schedule_to_close_timeout=timedelta(seconds=60),
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_attempts=2),
)
"""One call of an agent's read-only tool; the agent continues without an answer that fails."""

TRAIN: Final = ActivityOptions(
    task_queue=names.ACTIONS_QUEUE,
    start_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=2), maximum_attempts=3),
)
"""Retraining, which is long, sends heartbeats and can be cancelled."""

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
"""Undoing of an unverified change, retried for about an hour."""

CONFIRM: Final = LocalActivityOptions(
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        maximum_interval=timedelta(minutes=1),
        maximum_attempts=60,
    ),
    local_retry_threshold=timedelta(seconds=10),
)
"""Look at the registry's mark of a verification, retried for about an hour: a champion that is good
must not be given up because the registry is away."""

RESTORE: Final = ActivityOptions(
    task_queue=names.ACTIONS_QUEUE,
    start_to_close_timeout=timedelta(minutes=1),
    schedule_to_close_timeout=timedelta(minutes=2),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=5),
)
"""A sweep's undoing of an abandoned incident's change; later sweeps wait for it meanwhile."""

ACT: Final = ActivityOptions(
    task_queue=names.ACTIONS_QUEUE,
    start_to_close_timeout=timedelta(minutes=5),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=5),
)
"""Short effects on the registry, and their verification."""

"""Says whose call an activity answers.

Anybody with access to Temporal can ask for an activity by its name, from a workflow of their own
or from none. What authorises or records is therefore a local activity: it runs only where our own
workflow code runs, in the same process, and never by a task that a stranger put into a queue.
"""

from collections.abc import Mapping

from temporalio import activity

from trimtab.contracts.ports import Refused


def check_local_caller(workflows: Mapping[str, str]) -> None:
    """Raise `Refused` unless a workflow of one of these types and ids called within its process.

    Args:
        workflows: Workflow type to the only id that a workflow of that type may have.
    """
    info = activity.info()
    if not info.is_local:
        msg = f"{info.activity_type} answers only our own workflow code, as a local activity"
        raise Refused(msg)
    if workflows.get(info.workflow_type or "") != info.workflow_id:
        msg = (
            f"{info.activity_type} was called by workflow {info.workflow_id!r} of type "
            f"{info.workflow_type!r}, which has no business with this incident"
        )
        raise Refused(msg)

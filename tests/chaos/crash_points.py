"""Kills its own process with SIGKILL at chosen points of every effect, once at each.

A run has one moment: `before` an effect, `during` it, `after` it, or `unacknowledged`, when the
activity has ended and Temporal does not know yet. The wrappers here stand around the real ports;
nothing of this is in the product.
"""

import os
import signal
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from pydantic import JsonValue
from temporalio import activity
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from tests.chaos.mlflow_pipelines import MlflowPipelines
from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.contracts.audit import AuditAppend, ChainEnd, ChainPosition
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.slug import slug

MUTATING: Final = (
    "retrain_challenger",
    "promote_challenger",
    "roll_back_champion",
    "verify",
    "undo",
    "restore_champion",
    "remember_incident",
    "record",
    "authorise",
)
"""Activities that change something outside of Temporal."""


class CrashMoment(StrEnum):
    """Where, beside an effect, the process dies."""

    BEFORE = "before"
    DURING = "during"
    """Alias moved and not noted as done; line on disk and no head; run made and not ended."""
    AFTER = "after"
    UNACKNOWLEDGED = "unacknowledged"


class CrashPoints:
    """The points of one moment; each kills the process once, and is noted on disk before."""

    def __init__(self, folder: Path, *, moment: CrashMoment, only: str = "") -> None:
        self._folder = folder
        self._moment = moment
        self._only = only
        """The one point at which to die; empty for all."""

    @property
    def taken(self) -> list[str]:
        """The points at which a process has died."""
        return sorted(path.name for path in self._folder.glob("*"))

    def reach(self, point: str, moment: CrashMoment) -> None:
        """Die here, if this is the run's moment and nothing has died at this point yet."""
        if moment is not self._moment or (self._only and point != self._only):
            return
        death = self._folder / slug(point)
        if death.exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        death.touch()
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


class CrashingRegistry(MlflowRegistry):
    """The real registry, around whose writes the process dies."""

    def __init__(self, *, settings: Any, points: CrashPoints) -> None:
        super().__init__(settings=settings)
        self._points = points
        self._effect = ""

    def set_champion(self, model: str, version: str, *, expected: str | None, key: str) -> bool:
        self._effect = f"champion-{version}-{key:.8}"
        self._points.reach(self._effect, CrashMoment.BEFORE)
        moved = super().set_champion(model, version, expected=expected, key=key)
        self._points.reach(self._effect, CrashMoment.AFTER)
        return moved

    def _check_champion(self, model: str, version: str) -> None:
        self._points.reach(self._effect, CrashMoment.DURING)
        super()._check_champion(model, version)

    def mark_verified(self, model: str, version: str, *, key: str) -> None:
        self._points.reach(f"verified-{version}", CrashMoment.BEFORE)
        super().mark_verified(model, version, key=key)
        self._points.reach(f"verified-{version}", CrashMoment.AFTER)

    def record_incident(self, report: IncidentReport) -> None:
        self._points.reach("incident-run", CrashMoment.BEFORE)
        finish = self._client.set_terminated

        def die_before(*args: Any, **options: Any) -> None:
            self._points.reach("incident-run", CrashMoment.DURING)
            finish(*args, **options)

        self._client.set_terminated = die_before  # type: ignore[method-assign]
        try:
            super().record_incident(report)
        finally:
            self._client.set_terminated = finish  # type: ignore[method-assign]
        self._points.reach("incident-run", CrashMoment.AFTER)


class CrashingLog(JsonlAuditLog):
    """The real audit log, around whose appends the process dies."""

    def __init__(self, folder: Path, *, key: bytes, points: CrashPoints) -> None:
        super().__init__(folder, key=key)
        self._points = points
        self._point = ""
        note = self._heads.note

        def die_before(position: ChainPosition, **options: Any) -> None:
            self._points.reach(self._point, CrashMoment.DURING)
            note(position, **options)

        self._heads.note = die_before  # type: ignore[method-assign]

    def append(self, request: AuditAppend) -> ChainEnd:
        self._point = name_append(request)
        self._points.reach(self._point, CrashMoment.BEFORE)
        end = super().append(request)
        self._points.reach(self._point, CrashMoment.AFTER)
        return end


class CrashingPipelines(MlflowPipelines):
    """Pipelines on the real registry; the process dies around the making of a version."""

    def __init__(self, metrics: Mapping[str, Mapping[str, float]], **options: Any) -> None:
        self._points: CrashPoints = options.pop("points")
        super().__init__(metrics, **options)

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        if pipeline != "retraining":
            return await super().run(pipeline, params)
        self._points.reach("version", CrashMoment.BEFORE)
        result = await super().run(pipeline, params)
        self._points.reach("version", CrashMoment.AFTER)
        return result


class CrashingActivities(Interceptor):
    """Kills the process when a mutating activity has ended, and before Temporal knows."""

    def __init__(self, points: CrashPoints) -> None:
        self._points = points

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - Temporal's name
        return _CrashingCalls(next, self._points)


class _CrashingCalls(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, points: CrashPoints) -> None:
        super().__init__(inner)
        self._points = points

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - Temporal's name
        result = await super().execute_activity(input)
        name = activity.info().activity_type
        if name in MUTATING:
            first = input.args[0]
            point = name_append(first) if isinstance(first, AuditAppend) else name
            self._points.reach(point, CrashMoment.UNACKNOWLEDGED)
        return result


def name_append(request: AuditAppend) -> str:
    """Return a name for one write to the audit log, the same when it is repeated."""
    gates = "-".join(entry.gate.value for entry in request.entries)
    return f"lines-{request.entries[0].sequence}-{gates}"

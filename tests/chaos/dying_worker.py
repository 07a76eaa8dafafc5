"""A worker that kills itself with SIGKILL at each append to the audit log, once, before or after.

    python -m tests.chaos.dying_worker ADDRESS FOLDER before|after

What it touches is kept in files, so that the next worker finds it.
"""

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import JsonValue
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from tests.builders import a_spec
from tests.fakes import FakePipelines, FakeRegistry
from tests.workflows.world import BETTER, World
from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.grants import JwtGuard, JwtMint
from trimtab.contracts.audit import AuditAppend, ChainEnd
from trimtab.contracts.decision import Limits
from trimtab.contracts.incident import IncidentReport

KEY = b"k" * 32


class KeptRegistry(FakeRegistry):
    """A registry in a file: every change is on disk before it is reported."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        if path.exists():
            kept = json.loads(path.read_text())
            reports = kept.pop("incidents")
            vars(self).update(kept)
            self.incidents = [IncidentReport.model_validate(each) for each in reports]

    def save(self) -> None:
        fields = ("champion_version", "known", "made", "promoted", "moves")
        kept = {name: getattr(self, name) for name in fields}
        kept["incidents"] = [each.model_dump(mode="json") for each in self.incidents]
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(kept))
        fresh.replace(self._path)

    def set_champion(self, model: str, version: str, *, expected: str | None, key: str) -> bool:
        moved = super().set_champion(model, version, expected=expected, key=key)
        self.save()
        return moved

    def record_incident(self, report: IncidentReport) -> None:
        super().record_incident(report)
        self.save()


class KeptPipelines(FakePipelines):
    """Pipelines whose versions are kept in the registry's file."""

    def __init__(self, registry: KeptRegistry) -> None:
        super().__init__(registry, BETTER)
        self._kept = registry

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        result = await super().run(pipeline, params)
        self._kept.save()
        return result


class DyingLog(JsonlAuditLog):
    """Kills its process at the first append of each kind, right before or right after it."""

    def __init__(self, folder: Path, *, when: str) -> None:
        super().__init__(folder / "audit", key=KEY)
        self._deaths = folder / "deaths"
        self._when = when

    def append(self, request: AuditAppend) -> ChainEnd:
        gates = "-".join(entry.gate.value for entry in request.entries)
        death = self._deaths / f"{request.entries[0].sequence}-{gates}"
        if death.exists():
            return super().append(request)
        if self._when == "after":
            super().append(request)
        self._deaths.mkdir(exist_ok=True)
        death.touch()
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


async def serve(address: str, folder: Path, when: str) -> None:
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    world = World(client, folder)
    key = Ed25519PrivateKey.from_private_bytes(KEY)
    secret = base64.urlsafe_b64encode(KEY)
    world._mint = JwtMint(key=key, secret=secret)
    world._guard = JwtGuard(key=key.public_key(), secret=secret)
    world.archive.put_in_force(Limits(), a_spec())
    world.registry = registry = KeptRegistry(folder / "registry.json")
    world.pipelines = KeptPipelines(registry)
    world.audit = DyingLog(folder, when=when)
    async with AsyncExitStack() as stack:
        for worker in world._workers():
            await stack.enter_async_context(worker)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))

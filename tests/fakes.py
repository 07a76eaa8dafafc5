"""Small honest stand-ins for the ports: they remember what was asked of them."""

import threading
from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from tests.builders import NOW
from trimtab.contracts.approval import ApprovalRequest
from trimtab.contracts.evidence import Document
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.ports import Refused
from trimtab.contracts.tags import build_promotion_tag


class FakeRegistry:
    """Versions in a list, the champion in a field."""

    def __init__(self, *, champion: str | None = "1", versions: tuple[str, ...] = ("1",)) -> None:
        self.champion_version = champion
        self.known = list(versions)
        self.made: dict[str, str] = {}
        """Version by the key of the effect that made it."""
        self.promoted: dict[str, list[str]] = {}
        """Keys of the effects that made a version champion."""
        self.moves: list[tuple[str | None, str]] = []
        self.incidents: list[IncidentReport] = []
        self.broken = False

    def _version(self, model: str, version: str) -> ModelVersion:
        return ModelVersion(
            model=model,
            version=version,
            created_at=NOW,
            champion=version == self.champion_version,
            tags={build_promotion_tag(key): "done" for key in self.promoted.get(version, ())},
        )

    def _check(self) -> None:
        if self.broken:
            msg = "the registry refuses"
            raise Refused(msg)

    def champion(self, model: str) -> ModelVersion | None:
        self._check()
        return self._version(model, self.champion_version) if self.champion_version else None

    def versions(self, model: str, *, limit: int = 10) -> tuple[ModelVersion, ...]:
        self._check()
        return tuple(self._version(model, version) for version in reversed(self.known))[:limit]

    def find_version(self, model: str, *, key: str) -> ModelVersion | None:
        version = self.made.get(key)
        return self._version(model, version) if version else None

    def set_champion(self, model: str, version: str, *, expected: str | None, key: str) -> bool:
        if key in self.promoted.get(version, ()) and version == self.champion_version:
            return False
        if self.champion_version != expected:
            msg = f"the champion of {model} is {self.champion_version}, not {expected}"
            raise Refused(msg)
        self.moves.append((expected, version))
        self.champion_version = version
        self.promoted.setdefault(version, []).append(key)
        return True

    def record_incident(self, report: IncidentReport) -> None:
        self.incidents.append(report)

    def last_action_at(self, model: str) -> datetime | None:
        acted = [report.acted_at for report in self.incidents if report.acted_at]
        return max(acted, default=None)

    def audit_tips(self, model: str | None = None) -> Mapping[str, str]:
        return {report.event_id: report.audit_tip for report in self.incidents}


class FakePipelines:
    """Answers by pipeline and slice; a retraining adds version 2 to the registry."""

    def __init__(self, registry: FakeRegistry, metrics: Mapping[str, Mapping[str, float]]) -> None:
        self._registry = registry
        self._metrics = metrics
        self.calls: list[tuple[str, dict[str, JsonValue]]] = []

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        self.calls.append((pipeline, dict(params)))
        if pipeline == "retraining":
            self._registry.known.append("2")
            self._registry.made[str(params["key"])] = "2"
            return {"version": "2", "reused": False, "rows": 9000}
        values = self._metrics.get(str(params["slice"]), {})
        wanted = params["versions"]
        assert isinstance(wanted, list)
        return {
            "metrics": [
                {"version": version, "metric": "r2", "value": value, "rows": 600}
                for version, value in values.items()
                if version in wanted
            ]
        }


class FakeKnowledge:
    """Finds the same documents for every question."""

    def __init__(self, *documents: Document) -> None:
        self.documents = documents
        self.remembered: list[IncidentReport] = []
        self._go_on = threading.Event()
        self._go_on.set()

    def pause(self) -> threading.Event:
        """Nothing is remembered until the event is set."""
        self._go_on.clear()
        return self._go_on

    def search(self, query: str, *, limit: int = 5) -> tuple[Document, ...]:
        return self.documents[:limit]

    def document(self, document_id: str) -> Document | None:
        return next((one for one in self.documents if one.id == document_id), None)

    def remember(self, report: IncidentReport, *, document_id: str) -> None:
        self._go_on.wait(20)
        self.remembered.append(report)


class FakeNotifier:
    """Keeps the pages."""

    def __init__(self) -> None:
        self.requests: list[ApprovalRequest] = []

    def notify(self, request: ApprovalRequest) -> None:
        self.requests.append(request)

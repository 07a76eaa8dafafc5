"""Small honest stand-ins for the ports: they remember what was asked of them."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue

from tests.builders import NOW, a_comparison
from trimtab.contracts.approval import ApprovalRequest
from trimtab.contracts.audit import ChainEnd
from trimtab.contracts.base import compute_digest
from trimtab.contracts.budget import LedgerFacts, Reservation, UsageQuery
from trimtab.contracts.decision import Limits
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.evidence import Document
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.model import ModelSpec, ModelVersion
from trimtab.contracts.notice import NoticeDelivery, NoticeKind, PageMark
from trimtab.contracts.ports import Refused
from trimtab.contracts.tags import build_promotion_tag, build_verification_tag


class FakeRegistry:
    """Versions in a list, the champion in a field."""

    def __init__(self, *, champion: str | None = "1", versions: tuple[str, ...] = ("1",)) -> None:
        self.champion_version = champion
        self.known = list(versions)
        self.made: dict[str, str] = {}
        """Version by the key of the effect that made it."""
        self.promoted: dict[str, list[str]] = {}
        """Keys of the effects that made a version champion."""
        self.verified: dict[str, list[str]] = {}
        """Keys of the steps that verified a version."""
        self.moves: list[tuple[str | None, str]] = []
        self.incidents: list[IncidentReport] = []
        self.ended: set[tuple[str, str]] = set()
        """Model and event of incidents that ended without a report here."""
        self.broken = False
        self.freezes: dict[str | None, Freeze] = {}
        """Freeze by model; that of all models is under None."""
        self.head: ChainEnd | None = None

    def _version(self, model: str, version: str) -> ModelVersion:
        return ModelVersion(
            model=model,
            version=version,
            created_at=NOW,
            champion=version == self.champion_version,
            tags={build_promotion_tag(key): "done" for key in self.promoted.get(version, ())}
            | {build_verification_tag(key): "done" for key in self.verified.get(version, ())},
        )

    def champion(self, model: str) -> ModelVersion | None:
        self._check_sound()
        return self._version(model, self.champion_version) if self.champion_version else None

    def _check_sound(self) -> None:
        if self.broken:
            msg = "the registry refuses"
            raise Refused(msg)

    def versions(self, model: str, *, limit: int = 10) -> tuple[ModelVersion, ...]:
        self._check_sound()
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

    def mark_verified(self, model: str, version: str, *, key: str) -> None:
        self.verified.setdefault(version, []).append(key)

    def record_incident(self, report: IncidentReport) -> None:
        self.incidents.append(report)

    def is_recorded(self, model: str, incident: str) -> bool:
        recorded = {(each.model, each.event_id) for each in self.incidents}
        return (model, incident) in recorded | self.ended

    def last_action_at(self, model: str) -> datetime | None:
        acted = [report.acted_at for report in self.incidents if report.acted_at]
        return max(acted, default=None)

    def keep_audit_head(self, head: ChainEnd) -> None:
        self.head = head

    def audit_tips(self, model: str | None = None) -> Mapping[str, str]:
        return {report.event_id: report.audit_tip for report in self.incidents}

    def freeze(self, model: str) -> Freeze | None:
        return self.freezes.get(None) or self.freezes.get(model)


class FakeLedger:
    """Says what it was given, and keeps what is reserved."""

    def __init__(self, facts: LedgerFacts | None = None) -> None:
        self.facts = facts or LedgerFacts()
        self.reserved: list[Reservation] = []
        self.queries: list[UsageQuery] = []

    def read(self, query: UsageQuery) -> LedgerFacts:
        self.queries.append(query)
        return self.facts

    def reserve(
        self, reservation: Reservation, query: UsageQuery, *, check: Callable[[LedgerFacts], None]
    ) -> LedgerFacts:
        check(self.facts)
        self.reserved.append(reservation)
        return self.facts


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
        if pipeline == "preview":
            gate = build_evaluation(self._metrics.get("gate", {}), baseline="1", challenger="")
            return {**gate, "champion": "1", "window_rows": 3000, "refusal": ""}
        values = self._metrics.get(str(params["slice"]), {})
        wanted = params["versions"]
        assert isinstance(wanted, list)
        return build_evaluation(
            {version: value for version, value in values.items() if version in wanted},
            baseline=params.get("baseline"),
        )


def build_evaluation(
    values: Mapping[str, float], *, baseline: JsonValue, challenger: str | None = None
) -> dict[str, JsonValue]:
    """Return the report of the pipeline `evaluation` for versions with these metrics."""
    before = values.get(str(baseline))
    metrics: list[JsonValue] = [
        {"version": version, "metric": "r2", "value": value, "rows": 600}
        for version, value in values.items()
    ]
    paired: list[JsonValue] = []
    for version, value in values.items():
        if before is not None and version != baseline:
            named = version if challenger is None else challenger
            compared = a_comparison(before, value, champion=str(baseline), challenger=named)
            paired.append(compared.model_dump(mode="json"))
    return {"metrics": metrics, "paired": paired}


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

    def remember_all(self, memories: Sequence[tuple[IncidentReport, str]]) -> None:
        for report, document_id in memories:
            self.remember(report, document_id=document_id)


class FakeNotifier:
    """Keeps pages, notices and marks."""

    def __init__(self) -> None:
        self.requests: list[ApprovalRequest] = []
        self.sent: list[NoticeDelivery] = []
        self.marks: list[PageMark] = []
        self.broken_targets: set[str] = set()
        self.targets: tuple[str, ...] = ()
        """Targets of the worker's own policy."""

    def notify(self, request: ApprovalRequest) -> None:
        self.requests.append(request)

    def send(self, delivery: NoticeDelivery) -> None:
        if delivery.target in self.broken_targets:
            msg = f"{delivery.target} does not answer"
            raise Refused(msg)
        self.sent.append(delivery)

    def list_targets(self, kind: NoticeKind) -> tuple[str, ...]:
        return self.targets

    def mark_page(self, mark: PageMark) -> None:
        self.marks.append(mark)


class FakeArchive:
    """Holds the configuration that a test says is in force."""

    def __init__(self) -> None:
        self.limits: dict[str, Limits] = {}
        self.specs: dict[str, ModelSpec] = {}

    def put_in_force(self, limits: Limits, spec: ModelSpec) -> None:
        self.limits[compute_digest(limits)] = limits
        self.specs[compute_digest(spec)] = spec

    def find_limits(self, policy_hash: str, *, began_at: datetime) -> Limits:
        if policy_hash not in self.limits:
            msg = f"a policy with the hash {policy_hash:.12} was never in force here"
            raise Refused(msg)
        return self.limits[policy_hash]

    def find_spec(self, model: str, spec_hash: str, *, began_at: datetime) -> ModelSpec:
        if spec_hash not in self.specs:
            msg = f"a specification with the hash {spec_hash:.12} was never in force here"
            raise Refused(msg)
        return self.specs[spec_hash]


class FakePublishers:
    """Says who signed every event."""

    def __init__(self, name: str = "trimtab") -> None:
        self.name = name

    def find_publisher(self, event: DriftEvent) -> str:
        return self.name

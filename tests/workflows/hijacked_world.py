"""An incident with real agents behind it, whose language model follows a script."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from temporalio.client import Client
from temporalio.google_adk import GoogleAdkPlugin
from temporalio.worker import Worker

from activities.registration import list_agent_activities
from policies.evidence import compose_evidence
from tests.builders import NOW, a_finding, an_event
from tests.workflows.world import World, a_case
from trimtab.contracts import names
from trimtab.contracts.drift import DriftEvent, PerformanceChange, QualityFault, Severity
from trimtab.contracts.evidence import Document, EvidencePack, RegistryFacts
from trimtab.contracts.model import VersionMetric
from workflows.deliberation import DeliberationWorkflow

FINE: Final = PerformanceChange(
    metric="r2", reference=0.92, current=0.92, rows=3000, degraded=False
)
MILD: Final = PerformanceChange(
    metric="r2", reference=0.8195, current=0.78, rows=3000, degraded=True
)
"""A loss that severity alone does not take to a person."""
CORRUPT: Final = QualityFault(
    kind="nulls", column="Capacity", detail="Half is empty.", fraction=0.5, corrupt=True
)
SITUATIONS: Final[dict[str, tuple[dict[str, Any], dict[str, float]]]] = {
    "loss": (
        {"performance": MILD, "severity": Severity.MEDIUM},
        {"3": -0.052, "4": 0.78, "5": 0.99},
    ),
    "bad release": ({}, {"3": 0.92, "4": 0.78, "5": 0.7}),
    "harmless": (
        {"performance": FINE, "severity": Severity.MEDIUM},
        {"3": 0.7, "4": 0.92, "5": 0.9},
    ),
    "corrupt": ({"quality": (CORRUPT,)}, {"3": 0.7, "4": 0.78, "5": 0.7}),
}
"""Changes of the event, and the versions' metrics on the newest rows. Version 4 is the champion, 3
was champion before it, 2 and 5 are challengers that never were."""
VERSIONS: Final = ("1", "2", "3", "4", "5")
FORMER: Final = "3"


def a_document(cause: str, action: str, number: int) -> Document:
    return a_case(number).model_copy(update={"cause": cause, "action": action})


DOCUMENTS: Final[dict[str, tuple[Document, ...]]] = {
    "bad release": tuple(a_document("bad_release", "roll_back", number) for number in (1, 2, 3)),
}


class AgentWorld(World):
    """A world whose deliberations are those of the real agents."""

    def __init__(self, client: Client, folder: Path, *, situation: str) -> None:
        self._finding, recent = SITUATIONS[situation]
        metrics = {
            "recent": recent,
            "gate": {"4": 0.78, "2": 0.9},
            "verification": {"4": 0.77, "2": 0.91},
        }
        super().__init__(client, folder, metrics=metrics)
        self.registry.known = list(VERSIONS)
        self.registry.champion_version = "4"
        self.registry.promoted = {FORMER: ["before"], "4": ["earlier"]}
        if situation in DOCUMENTS:
            self.knowledge.documents = DOCUMENTS[situation]
        self._recent = recent

    def build_event(self, event_id: str) -> DriftEvent:
        """Return the event of the situation."""
        return an_event(event_id, champion_version="4", **self._finding)

    def compose_pack(self) -> EvidencePack:
        """Return the evidence that the incident will collect."""
        registry = RegistryFacts(
            champion=self.registry.champion("parking"),
            versions=self.registry.versions("parking"),
            last_action_at=None,
        )
        metrics = [
            VersionMetric(version=version, metric="r2", value=value, rows=600)
            for version, value in self._recent.items()
        ]
        finding = a_finding(champion_version="4", **self._finding)
        return compose_evidence(finding, registry, metrics, self.knowledge.documents, now=NOW)

    def _workers(self) -> list[Worker]:
        with_adk = Client(
            self.client.service_client, namespace=self.client.namespace, plugins=[GoogleAdkPlugin()]
        )
        agents = Worker(
            with_adk,
            task_queue=names.AGENTS_QUEUE,
            activities=list_agent_activities(pipelines=self.pipelines, knowledge=self.knowledge),
            activity_executor=ThreadPoolExecutor(4),
        )
        return [*super()._workers(), agents]

    def _worker(self, queue: str, *, workflows: list[type], activities: list[Any]) -> Worker:
        if queue != names.MAIN_QUEUE:
            return super()._worker(queue, workflows=workflows, activities=activities)
        real = [each for each in workflows if each.__name__ != "ScriptedDeliberation"]
        client = Client(
            self.client.service_client, namespace=self.client.namespace, plugins=[GoogleAdkPlugin()]
        )
        return Worker(
            client,
            task_queue=queue,
            workflows=[*real, DeliberationWorkflow],
            activities=activities,
            activity_executor=ThreadPoolExecutor(8),
        )

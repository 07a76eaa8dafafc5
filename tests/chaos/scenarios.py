"""Incidents that between them take every mutating step, and what each must leave behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mlflow.tracking import MlflowClient

from tests.builders import an_event, an_incident
from tests.workflows.world import BETTER, a_case
from trimtab.contracts.evidence import Document
from trimtab.contracts.incident import Ending, IncidentInput
from trimtab.contracts.tags import ROLE_TAG

MODEL: Final = "parking"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One kind of incident."""

    metrics: Mapping[str, Mapping[str, float]]
    """Metrics by slice and version."""
    champion: str = "1"
    """The champion at first; all versions up to it exist, and were champion."""
    analyst: str = "script/retrain"
    ending: Ending = Ending.REMEDIATED
    served: str = "2"
    """The champion in the end."""
    versions: int = 2
    """Versions in the end."""
    documents: tuple[Document, ...] = field(default_factory=lambda: tuple(map(a_case, (1, 2, 3))))

    def build_incident(self, event_id: str) -> IncidentInput:
        event = an_event(event_id, champion_version=self.champion)
        return an_incident(event, analyst=self.analyst)

    def fill_registry(self, client: MlflowClient) -> None:
        """Make the versions that there are before the incident."""
        client.create_registered_model(MODEL)
        for _ in range(int(self.champion)):
            client.create_model_version(MODEL, "runs:/x", tags={ROLE_TAG: "champion"})
        client.set_registered_model_alias(MODEL, "champion", self.champion)


def _blame(number: int) -> Document:
    changes: dict[str, Any] = {"cause": "bad_release", "action": "roll_back"}
    return a_case(number).model_copy(update=changes)


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "retrained": Scenario(metrics=BETTER),
    "rolled_back": Scenario(
        metrics={"recent": {"1": 0.92, "2": 0.78}},
        champion="2",
        analyst="script/roll_back",
        served="1",
        documents=tuple(map(_blame, (1, 2, 3))),
    ),
    "undone": Scenario(
        metrics={**BETTER, "verification": {"1": 0.91, "2": 0.5}},
        ending=Ending.UNDONE,
        served="1",
    ),
}

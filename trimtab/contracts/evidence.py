"""Evidence: measurements and facts collected before an agent gives an opinion."""

from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field, model_validator

from trimtab.contracts.base import EPOCH, Fraction, Name, Record, Reply, Text
from trimtab.contracts.drift import FaultKind, FeatureRole
from trimtab.contracts.evidence_ids import MAX_ID_LENGTH, EvidenceId, build_metric_id
from trimtab.contracts.model import (
    GateOutcome,
    ModelSpec,
    ModelVersion,
    PairedComparison,
    UnscorableVersion,
    VersionMetric,
)

RECALLED_DOCUMENTS: Final = 5
"""Number of documents that are recalled for an incident."""


class EvidenceSource(StrEnum):
    """Origins of evidence items."""

    DRIFT = "drift"
    QUALITY = "quality"
    PERFORMANCE = "performance"
    REGISTRY = "registry"
    KNOWLEDGE = "knowledge"
    INSPECTION = "inspection"


class EvidenceItem(Record):
    """One checkable statement.

    The statement is for people and language models; code reads the fields below it. Items of
    histories that were written before a field existed leave it None.
    """

    id: EvidenceId
    """Unique in the pack, such as "drift:Occupancy" or "metric:version-3"; see `evidence_ids`."""
    source: EvidenceSource
    statement: Text
    """One sentence with its figures; a citation must quote from it verbatim."""
    value: float | None = None
    """The main figure of the statement; None if it has none."""
    column: Name | None = None
    """The column that the statement is about; None if it is about no single column."""
    role: FeatureRole | None = None
    """What that column is to the model, where the item says how far it moved."""
    drifted: bool | None = None
    """Whether the column, or the inputs taken together, drifted; None if the item does not judge
    that."""
    degraded: bool | None = None
    """Whether the metric lost more than is tolerated; None if the item does not judge that."""
    fault: FaultKind | None = None
    """The kind of quality fault that the statement is about."""
    version: str | None = None
    """The version of the model that the statement is about."""


class DocumentKind(StrEnum):
    """Kinds of documents in the knowledge base."""

    RUNBOOK = "runbook"
    INCIDENT = "incident"


class Document(Record):
    """A passage that the knowledge base found."""

    id: Name
    kind: DocumentKind
    title: str = Field(max_length=200)
    text: Text
    similarity: Fraction
    """Cosine similarity of the embeddings, floored at 0."""
    cause: str | None = None
    """A `Cause` value from the front matter."""
    action: str | None = None
    """An `Action` value from the front matter."""
    succeeded: bool | None = None
    """For past incidents: whether the action helped; None if unknown."""
    origin: str | None = None
    """For past incidents: "observed", or "example" for a worked example."""


class EvidencePack(Record):
    """Evidence that the agents may cite."""

    items: tuple[EvidenceItem, ...]
    documents: tuple[Document, ...] = ()
    """Documents on similar incidents, best first."""
    champion_version: str | None = None
    last_action_at: AwareDatetime | None = None
    """Time of the last action on the model; None if there was none."""
    collected_at: AwareDatetime
    measurements: tuple[VersionMetric, ...] = ()
    """Metrics of versions on the newest labelled rows, as measured for this incident."""
    champion_trained_until: AwareDatetime | None = None
    """End of the champion's training data; None if unknown."""
    champion_reference: float | None = None
    """The metric that the champion must keep, as the registry holds it; None if unknown."""
    former_champions: tuple[str, ...] = ()
    """Versions older than the champion that were champion before, the newest first."""

    @property
    def measured_metrics(self) -> dict[str, float]:
        """Metric by version on the newest labelled rows, of the versions that were measured."""
        return {
            item.version: item.value
            for item in self.items
            if item.version is not None
            and item.value is not None
            and item.id == build_metric_id(item.version)
        }

    def find_item(self, item_id: str) -> EvidenceItem | None:
        """Return the item with that id, or None."""
        return next((item for item in self.items if item.id == item_id), None)


class Citation(Reply):
    """Support for a claim: an item's id, and words copied from its statement."""

    evidence_id: str = Field(max_length=MAX_ID_LENGTH)
    quote: str = Field(min_length=1, max_length=400)


class RegistryFacts(Record):
    """Result of the activity `read_registry`: a model as the model registry holds it."""

    champion: ModelVersion | None
    versions: tuple[ModelVersion, ...]
    """The newest versions, newest first."""
    last_action_at: AwareDatetime | None


class Measurement(Record):
    """Input of the activity `measure_versions`."""

    spec: ModelSpec
    versions: tuple[str, ...]
    as_of: AwareDatetime
    """Time of the measurement: only rows whose label was known by then count."""
    event_id: str = ""
    """The incident that it is made for; the seal binds it to that one."""


class MeasuredVersions(Record):
    """Result of the activity `measure_versions`, sealed by the worker that measured."""

    event_id: str = ""
    model: str = ""
    as_of: AwareDatetime = EPOCH
    metrics: tuple[VersionMetric | UnscorableVersion, ...]
    seal: str = ""
    """Keyed hash over the other fields; empty in histories that are older than seals."""

    @model_validator(mode="before")
    @classmethod
    def _read_old_result(cls, value: object) -> object:
        """Take the plain list that older histories hold."""
        return {"metrics": value} if isinstance(value, list | tuple) else value


class PreviewOrder(Record):
    """Input of the activity `preview_challenger`."""

    spec: ModelSpec
    as_of: AwareDatetime
    """Time of the preview: only rows whose label was known by then count."""
    event_id: str
    """The incident that it is made for; the seal binds it to that one."""
    corrupt_too: bool = False
    """Whether to learn from the newest window even if it is corrupt, as a person may decide."""


class ChallengerPreview(Record):
    """Result of the activity `preview_challenger`: what a retraining would give.

    It is sealed by the worker that tried it. Nothing was registered.
    """

    event_id: str
    model: Name
    champion: str
    """The champion that the challenger was compared with."""
    as_of: AwareDatetime
    corrupt_too: bool = False
    outcome: GateOutcome
    """What the gate would answer."""
    reason: Text
    """The gate's reason with its figures, or why nothing could be trained."""
    comparisons: tuple[PairedComparison, ...] = Field(default=(), max_length=2)
    """On rows held out from training; then, if these cannot tell, on more by cross-fitting."""
    windows_to_wait: int | None = None
    """Windows after which the gate should be able to tell; None if it can, or not soon."""
    seal: str = ""
    """Keyed hash over the other fields."""


class Recall(Record):
    """Input of the activity `recall_similar`."""

    query: str = Field(max_length=4000)
    limit: int = Field(default=RECALLED_DOCUMENTS, ge=1, le=20)
    event_id: str = ""
    """The incident that it is made for; the seal binds it to that one."""


class RecalledDocuments(Record):
    """Result of the activity `recall_similar`, sealed by the worker that searched."""

    event_id: str = ""
    query: str = ""
    documents: tuple[Document, ...]
    seal: str = ""
    """Keyed hash over the other fields; empty in histories that are older than seals."""

    @model_validator(mode="before")
    @classmethod
    def _read_old_result(cls, value: object) -> object:
        """Take the plain list that older histories hold."""
        return {"documents": value} if isinstance(value, list | tuple) else value

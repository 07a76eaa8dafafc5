"""Evidence: what was measured or read before anybody gave an opinion, each item with an id."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from trimtab.contracts.base import Fraction, Name, Record, Reply, Text
from trimtab.contracts.model import ModelSpec, ModelVersion


class EvidenceSource(StrEnum):
    """Where an item of evidence comes from."""

    DRIFT = "drift"
    QUALITY = "quality"
    PERFORMANCE = "performance"
    REGISTRY = "registry"
    KNOWLEDGE = "knowledge"
    INSPECTION = "inspection"


class EvidenceItem(Record):
    """One checkable statement."""

    id: Name
    """Unique in the pack, such as "drift:Occupancy" or "metric:version-3"."""
    source: EvidenceSource
    statement: Text
    """One sentence with the figures in it: what a citation must quote verbatim."""
    value: float | None = None
    """The figure the statement is about, where there is one."""


class DocumentKind(StrEnum):
    """What a knowledge document is."""

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
    """For past incidents: whether the action helped; None where unknown."""
    origin: str | None = None
    """For past incidents: "observed", or "example" for one that was made up to teach."""


class EvidencePack(Record):
    """Everything the agents may cite."""

    items: tuple[EvidenceItem, ...]
    documents: tuple[Document, ...] = ()
    """Best first."""
    champion_version: str | None = None
    last_action_at: AwareDatetime | None = None
    """When the model was last acted upon."""
    collected_at: AwareDatetime

    def find(self, item_id: str) -> EvidenceItem | None:
        """The item with that id, or None."""
        return next((item for item in self.items if item.id == item_id), None)


class Citation(Reply):
    """A claim's support: an item's id and words copied from its statement."""

    evidence_id: str = Field(max_length=160)
    quote: str = Field(min_length=1, max_length=400)


class RegistryFacts(Record):
    """What the model registry knows about a model: result of the activity `read_registry`."""

    champion: ModelVersion | None
    versions: tuple[ModelVersion, ...]
    """Newest first."""
    last_action_at: AwareDatetime | None


class Measurement(Record):
    """Input of the activity `measure_versions`."""

    spec: ModelSpec
    versions: tuple[str, ...]
    as_of: AwareDatetime
    """Rows whose label was known by then count."""


class Recall(Record):
    """Input of the activity `recall_similar`."""

    query: str = Field(max_length=4000)
    limit: int = Field(default=5, ge=1, le=20)

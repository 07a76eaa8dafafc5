"""Reads runbooks and past incidents from Markdown, each with the keys that it is found by."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import frontmatter
from frontmatter.default_handlers import YAMLHandler
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from typing_extensions import override

from trimtab.adapters.knowledge.incident_signs import IncidentSigns
from trimtab.contracts.base import Name, Record, compute_digest
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.drift import Severity
from trimtab.contracts.evidence import DocumentKind
from trimtab.contracts.ports import Refused
from trimtab.contracts.remediation import Action
from trimtab.contracts.suggestions import suggest_name
from trimtab.contracts.validation_errors import format_validation_errors
from trimtab.files.yaml_text import InvalidYamlError, parse_yaml

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MAX_TEXT: Final = 4000
"""Characters of a document: what `contracts.evidence.Document` holds."""
MAX_KEYS: Final = 16
"""Ways to find one document."""

_MAX_VALUE_LENGTH: Final = 60
"""Characters of a wrong value that a message shows."""
_SOURCES: Final = re.compile(r"^## References\n+- \S", re.MULTILINE)
_ARTICLE_FIELDS: Final = {"id", "kind", "title", "cause", "action", "succeeded", "origin"}
"""Fields that an article takes over from its front matter."""

DocumentSlug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{2,79}$")]
DocumentTag = Annotated[str, StringConstraints(pattern=r"^[\w.% -]{2,40}$")]


class Origin(StrEnum):
    """Origin of an incident's story."""

    EXAMPLE = "example"
    """Made up to teach."""
    OBSERVED = "observed"
    """It happened."""


class FrontMatter(BaseModel):
    """The fields above a runbook or a past incident, between the lines `---`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: DocumentSlug
    """Equal to the file's name without `.md`."""
    kind: DocumentKind
    title: str = Field(min_length=5, max_length=120)
    cause: Cause
    """For an incident: the cause as known in the end, whatever it was first taken for."""
    action: Action
    """Recommended by a runbook; taken in an incident."""
    severity: Severity
    tags: tuple[DocumentTag, ...] = Field(min_length=1, max_length=12)
    asked: tuple[Annotated[str, Field(min_length=10, max_length=120)], ...] = Field(
        default=(), max_length=8
    )
    """Questions of people who do not know the cause: each is a way to find the document."""
    signs: tuple[IncidentSigns, ...] = Field(default=(), max_length=4)
    """Signs of drift events that the document applies to."""
    succeeded: bool | None = None
    """Success of the action; for an incident only, and there required."""
    origin: Origin | None = None
    """For an incident only, and there required."""

    @field_validator("id")
    @classmethod
    def _check_file_name(cls, value: str, info: ValidationInfo) -> str:
        stem = (info.context or {}).get("stem", value)
        if value != stem:
            msg = f"{value!r} differs from the file's name {stem!r}: make them equal"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _check_outcome(self) -> "FrontMatter":
        has_outcome = (self.succeeded is not None, self.origin is not None)
        if self.kind is DocumentKind.INCIDENT and not all(has_outcome):
            msg = "an incident says whether its action `succeeded`, and its `origin`"
            raise ValueError(msg)
        if self.kind is DocumentKind.RUNBOOK and any(has_outcome):
            msg = "a runbook has neither `succeeded` nor `origin`"
            raise ValueError(msg)
        return self


class Article(Record):
    """A runbook or an incident as the knowledge base keeps it."""

    id: Name
    kind: DocumentKind
    title: str = Field(min_length=1, max_length=200)
    cause: Cause | None = None
    action: Action | None = None
    succeeded: bool | None = None
    origin: Origin | None = None
    text: str = Field(min_length=1, max_length=MAX_TEXT)
    keys: tuple[str, ...] = Field(min_length=1, max_length=MAX_KEYS)
    """Texts that it is found by: the one most similar to a query counts."""

    @field_validator("text")
    @classmethod
    def _check_opening(cls, text: str) -> str:
        if not extract_opening(text):
            msg = "there is no opening: say above the first section what it is about"
            raise ValueError(msg)
        return text

    @property
    def digest(self) -> str:
        """Digest of the whole article."""
        return compute_digest(self)


def extract_introduction(text: str) -> str:
    """Return the part of a document above its first section."""
    return f"\n{text}".partition("\n## ")[0].strip()


def extract_opening(text: str) -> str:
    """Return a document's introduction on one line, without a notice set as a quotation."""
    lines = extract_introduction(text).split("\n")
    return " ".join(line for line in lines if not line.startswith(">")).strip()


class KnowledgeFiles(NamedTuple):
    """What folders of documents hold."""

    articles: Mapping[Path, Article]
    """The valid documents, by their files; no two have an id or a title in common."""
    faults: tuple[str, ...]
    """What is wrong in the other files, with the remedy."""


def read_knowledge_files(folders: Sequence[Path]) -> KnowledgeFiles:
    """Return the documents in Markdown below the folders; of two with the same id, the first.

    Raises:
        Refused: A folder does not exist.
    """
    articles: dict[Path, Article] = {}
    faults: list[str] = []
    for file in [file for folder in folders for file in _list_files(folder)]:
        try:
            article = read_article(file)
        except Refused as refusal:
            faults.append(str(refusal))
            continue
        if shared := list(find_shared_names(article, articles)):
            faults += [f"{file}: {fault}" for fault in shared]
        else:
            articles[file] = article
    return KnowledgeFiles(articles, tuple(faults))


def find_shared_names(article: Article, others: Mapping[Path, Article]) -> Iterator[str]:
    """Yield each name that another document has already, with its file."""
    for file, other in others.items():
        if other.id == article.id:
            yield f"id = {article.id!r}: {file} has it too: rename one of the files"
        elif other.title == article.title:
            yield f"title = {article.title!r}: {file} has it too: say how the two differ"


def find_missing_sources(article: Article) -> str:
    """Return what to add if a runbook names no source; empty if it names one."""
    if article.kind is DocumentKind.INCIDENT or _SOURCES.search(article.text):
        return ""
    return (
        "References: no source is named: add the section, with one line for each, such as"
        " '- Payments team 2026, \"Post-mortem of the till outage\"'"
    )


def read_articles(folders: Sequence[Path]) -> tuple[Article, ...]:
    """Return all articles in Markdown below the folders.

    Raises:
        Refused: Every fault of every file, at once.
    """
    found = read_knowledge_files(folders)
    if found.faults:
        raise Refused("\n".join(found.faults))
    return tuple(found.articles.values())


def read_article(file: Path) -> Article:
    """Return the article in a file.

    Raises:
        Refused: The file cannot be read, or everything that is wrong in it.
    """
    try:
        text = file.read_text(encoding="utf-8")
        post = frontmatter.loads(text, handler=_PlainYamlHandler())
        if not post.metadata:
            msg = f"{file}: there is no front matter: begin with its fields between two lines ---"
            raise Refused(msg)
        front = FrontMatter.model_validate(post.metadata, context={"stem": file.stem})
        text = post.content.strip()
        fields = front.model_dump(include=_ARTICLE_FIELDS)
        return Article(text=text, keys=_build_keys(front, text), **fields)
    except (ValidationError, InvalidYamlError, UnicodeDecodeError, OSError) as error:
        msg = f"{file}: {_format_fault(error)}"
        raise Refused(msg) from error


class _PlainYamlHandler(YAMLHandler):
    """Reads front matter in our dialect of YAML."""

    @override
    def load(self, fm: str, **_: object) -> dict[str, Any]:
        content = parse_yaml(fm)
        return content if isinstance(content, dict) else {}


def _format_fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        lines = format_validation_errors(
            error,
            whole="front matter",
            max_value_length=_MAX_VALUE_LENGTH,
            suggest_remedy=_suggest_remedy,
        )
        return "; ".join(lines)
    return " ".join(str(error).split())


def _suggest_remedy(error: "ErrorDetails") -> str:
    """Return what to write instead of a wrong name, or where a missing field belongs."""
    field = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "missing":
        return "add it above the text, between the two lines ---"
    if error["type"] == "extra_forbidden":
        meant = suggest_name(field, FrontMatter.model_fields)
        return f"did you mean {meant}?" if meant else "remove it"
    names = {"cause": Cause, "action": Action, "severity": Severity, "kind": DocumentKind}
    meant = suggest_name(str(error["input"]), list(names[field])) if field in names else ""
    return f"did you mean {meant}?" if meant else ""


def _list_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        msg = f"knowledge folder {folder} does not exist: name one that holds runbooks"
        raise Refused(msg)
    return sorted(file for file in folder.rglob("*.md") if file.name != "README.md")


def _build_keys(front: FrontMatter, text: str) -> tuple[str, ...]:
    """Return title and opening, people's questions, and the queries by which Trimtab searches.

    The sections are no keys: they are about other causes too, and with them in the index fewer
    queries found their answer.
    """
    return (
        f"{front.title}. {extract_opening(text)}",
        *front.asked,
        *(signs.build_query() for signs in front.signs),
    )

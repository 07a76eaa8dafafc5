"""Runs `trimtab knowledge search`: prints the documents that are nearest to some words."""

import json
from collections.abc import Sequence

import typer
from rich.table import Table
from rich.text import Text

from trimtab.adapters.knowledge.chroma_client import open_chroma
from trimtab.adapters.knowledge.knowledge_base import ChromaKnowledgeBase
from trimtab.cli.console import open_console, print_wrapped
from trimtab.cli.errors import ExitCode
from trimtab.contracts.base import clean_text
from trimtab.contracts.evidence import Document
from trimtab.runtime.paths import knowledge_folders
from trimtab.runtime.settings import load_settings


def run_search(query: str, *, limit: int, as_json: bool) -> ExitCode:
    """Bring the index up to date, and print the nearest documents, best first."""
    knowledge = ChromaKnowledgeBase(open_chroma(load_settings()))
    knowledge.index_valid(*knowledge_folders())
    found = knowledge.search(query, limit=limit)
    if as_json:
        typer.echo(json.dumps([_to_json(document) for document in found], indent=2))
    else:
        _print_documents(found)
    return ExitCode.OK if found else ExitCode.NOTHING_TO_JUDGE


def _to_json(document: Document) -> dict[str, object]:
    return document.model_dump(mode="json", exclude={"text"}) | {"opening": document.text}


def _print_documents(found: Sequence[Document]) -> None:
    console = open_console()
    if not found:
        print_wrapped(console, "No document was found.")
        return
    table = Table()
    for heading in ("similarity", "cause", "action", "document"):
        table.add_column(heading, overflow="fold")
    for document in found:
        note = f" ({document.origin})" if document.origin else ""
        table.add_row(
            f"{document.similarity:.2f}",
            Text(document.cause or "unknown"),
            Text(document.action or "none"),
            Text(clean_text(f"{document.id}{note}: {document.title}")),
        )
    console.print(table)

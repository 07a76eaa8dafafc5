"""Runs `trimtab knowledge verify`: checks the documents, and the index against them."""

import json
from collections.abc import Iterator, Mapping

import typer

from trimtab.adapters.knowledge.chroma_client import open_chroma
from trimtab.adapters.knowledge.knowledge_article import (
    KnowledgeFiles,
    find_missing_sources,
    read_knowledge_files,
)
from trimtab.adapters.knowledge.knowledge_base import ChromaKnowledgeBase
from trimtab.cli.console import open_console, print_wrapped
from trimtab.cli.errors import ExitCode, print_error
from trimtab.runtime.paths import format_command, knowledge_folders
from trimtab.runtime.settings import load_settings


def run_verify_documents(*, as_json: bool) -> ExitCode:
    """Print every fault of documents and index, and return the exit code."""
    files = read_knowledge_files(knowledge_folders())
    indexed = ChromaKnowledgeBase(open_chroma(load_settings())).read_digests()
    faults = [*files.faults, *_check_sources(files), *_check_index(files, indexed)]
    if as_json:
        typer.echo(json.dumps({"documents": len(files.articles), "faults": faults}, indent=2))
    elif faults:
        print_error(f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'}", faults)
    else:
        said = f"{len(files.articles)} documents are valid, and the index holds exactly these."
        print_wrapped(open_console(), said)
    return ExitCode.FAILED if faults else ExitCode.OK


def _check_sources(files: KnowledgeFiles) -> Iterator[str]:
    for file, article in files.articles.items():
        if fault := find_missing_sources(article):
            yield f"{file}: {fault}"


def _check_index(files: KnowledgeFiles, indexed: Mapping[str, str]) -> Iterator[str]:
    """Yield each difference between the files and what the index holds."""
    remedy = f"`{format_command('knowledge', 'search', 'drift')}` brings the index up to date"
    if not indexed and files.articles:
        yield f"the index is empty: {remedy}"
        return
    for file, article in files.articles.items():
        if article.id not in indexed:
            yield f"{file}: not in the index: {remedy}"
        elif indexed[article.id] != article.digest:
            yield f"{file}: the index holds another form of it: {remedy}"
    known = {article.id for article in files.articles.values()}
    for document_id in sorted(indexed.keys() - known):
        yield f"{document_id}: in the index, but in no valid file: {remedy}"

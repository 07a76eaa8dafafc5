"""Runs `trimtab knowledge add`: checks a runbook, keeps it, and indexes it."""

from pathlib import Path

from trimtab.adapters.knowledge.chroma_client import open_chroma
from trimtab.adapters.knowledge.knowledge_article import (
    Article,
    find_missing_sources,
    find_shared_names,
    read_article,
    read_knowledge_files,
)
from trimtab.adapters.knowledge.knowledge_base import ChromaKnowledgeBase
from trimtab.cli.console import open_console, print_command, print_wrapped
from trimtab.cli.errors import ExitCode
from trimtab.contracts.ports import Refused
from trimtab.files.atomic_file import write_atomically
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.paths import knowledge_folders, local_knowledge
from trimtab.runtime.settings import load_settings


def run_add_document(file: Path, *, replace: bool) -> ExitCode:
    """Add a document; raise `BadConfigurationError` with every fault of the file."""
    article = _read_checked(file, replace=replace)
    folder = local_knowledge()
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / file.name
    if file.resolve() != kept.resolve():
        write_atomically(kept, file.read_bytes())
    knowledge = ChromaKnowledgeBase(open_chroma(load_settings()))
    knowledge.index_valid(*knowledge_folders())
    console = open_console()
    print_wrapped(console, f"{article.title}: kept as {kept} and indexed.")
    print_wrapped(console, f"Cause {article.cause}, action {article.action}. To see it found:")
    print_command(console, "knowledge", "search", article.title)
    return ExitCode.OK


def _read_checked(file: Path, *, replace: bool) -> Article:
    """Return the document in a file that may be added."""
    try:
        article = read_article(file)
    except Refused as refusal:
        raise BadConfigurationError(str(refusal).split("\n")) from None
    others = dict(read_knowledge_files(knowledge_folders()).articles)
    own = local_knowledge() / file.name
    if replace or file.resolve() == own.resolve():
        others.pop(own, None)
    elif own in others:
        fault = f"id = {article.id!r}: {own} has it already: write --replace to replace it"
        raise BadConfigurationError([f"{file}: {fault}"])
    faults = [fault for fault in (find_missing_sources(article),) if fault]
    faults += find_shared_names(article, others)
    if faults:
        raise BadConfigurationError([f"{file}: {fault}" for fault in faults])
    return article

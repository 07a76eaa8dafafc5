"""`trimtab knowledge`: add a runbook of your own, search all documents, and verify them."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow
from trimtab.cli.typer_app import TrimtabTyper

app = TrimtabTyper(
    name="knowledge",
    no_args_is_help=True,
    help="Runbooks: add your own, search all of them, and verify files and index.",
)


@app.command("add")
def add_document(
    *,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A runbook in Markdown.", dir_okay=False)
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace your own document of the same id.")
    ] = False,
) -> int:
    """Check a runbook, copy it to conf/local/knowledge, and index it.

    knowledge/README.md describes its form. A worker that is running finds it at once.

    Exit code 0: added; 1: the index did not accept it; 2: the file has faults, which are listed.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.knowledge.add import run_add_document

        return run_add_document(file, replace=replace)


@app.command("search")
def search_documents(
    *,
    words: Annotated[list[str], typer.Argument(metavar="WORDS…", help="What you see.")],
    limit: Annotated[int, typer.Option(help="How many documents to show.", min=1, max=50)] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Show the documents that are nearest in meaning, with their similarity, cause and action.

    The similarity is a cosine from 0 to 1. It is no evidence: it says what to read first.

    Exit code 0: found; 3: the knowledge base is empty.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.knowledge.search import run_search

        return run_search(" ".join(words), limit=limit, as_json=as_json)


@app.command("verify")
def verify_documents(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Check every document, and that the index holds exactly these documents.

    Each must be readable, name its sources, have a cause and an action of the taxonomy, and share
    its id and its title with no other. Changes nothing.

    Exit code 0: no fault; 1: at least one fault.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.knowledge.verify import run_verify_documents

        return run_verify_documents(as_json=as_json)

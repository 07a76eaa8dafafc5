"""Every command of the documents works as written, in the order written, without uv on the PATH."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, tracked_files
from tests.packaging.document_commands import (
    LASTING,
    Newcomer,
    shell_blocks,
)
from tests.packaging.stand_ins import register_model, write_files

_INSTALLS = "installs the whole environment: tests/e2e/test_demo.py runs the demo itself"
_EXAMPLE = "names an incident that exists only as an example"
_DOCKER = "needs a Docker engine"
_OLLAMA = "needs an Ollama server and downloads a model"


@dataclass(frozen=True)
class Document:
    """A document: what of it is not run and why, and what does not end with exit code 0."""

    path: str
    not_run: Mapping[str, str]
    """Beginning of the command, and the reason."""
    exit_codes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    """Commands of other documents that this one builds upon."""

    def reason(self, command: str) -> str:
        """Why a command is not run; empty where it is."""
        return next((why for start, why in self.not_run.items() if command.startswith(start)), "")


DRIFTED = (1,)
FINE_OR_NOTHING_THERE = (0, 3)
"""A newcomer has no model before `init`, and no incident in the audit log."""
INIT = "bin/trimtab init prices --data history.parquet --target price --timestamp sold_at"
DOCUMENTS = (
    Document(
        "README.md",
        not_run={
            "make demo": _INSTALLS,
            "make test": "runs this very test",
        },
        exit_codes={"bin/trimtab compare": DRIFTED},
    ),
    Document(
        "docs/operations.md",
        not_run={
            "make demo": _INSTALLS,
            "bin/trimtab backtest prices": "takes a minute, and is run where the README says it",
            "ollama pull": _OLLAMA,
            "TRIMTAB_ANALYST__MODEL=ollama/": _OLLAMA,
            "docker compose": _DOCKER,
            "bin/temporal workflow signal": _EXAMPLE,
            "bin/trimtab show": _EXAMPLE,
            "bin/trimtab approve": _EXAMPLE,
            "bin/trimtab reject": _EXAMPLE,
            "bin/temporal workflow show": _EXAMPLE,
            "bin/trimtab policy explain": _EXAMPLE,
            "bin/trimtab notify pager": "names a target that exists only as an example",
            "bin/trimtab events retry": "names a dead letter that exists only as an example",
        },
        exit_codes={
            "bin/trimtab monitor prices": DRIFTED,
            "bin/trimtab doctor": FINE_OR_NOTHING_THERE,
            "bin/trimtab audit verify": FINE_OR_NOTHING_THERE,
            "bin/trimtab policy whatif": FINE_OR_NOTHING_THERE,
            "bin/trimtab audit reconcile": FINE_OR_NOTHING_THERE,
        },
    ),
    Document(
        "docs/events.md",
        not_run={"redis-cli": "is not among a newcomer's programs"},
        before=(INIT, "bin/trimtab up"),
    ),
)


@pytest.mark.e2e
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.path)
def test_every_command_works_as_written(document: Document, tmp_path: Path) -> None:
    newcomer = Newcomer.in_folder(tmp_path)
    registry = f"sqlite:///{newcomer.checkout}/.trimtab/mlflow.db"
    newcomer.replaced = {"https://mlflow.example.org": registry}
    write_files(newcomer.checkout)
    (newcomer.checkout / ".trimtab").mkdir()
    register_model(newcomer.checkout, registry)

    try:
        for command in document.before:
            follow(newcomer, command, document)
        for block in shell_blocks(ROOT / document.path):
            exports: tuple[str, ...] = ()
            for command in block.commands:
                if command.startswith("export "):
                    exports = (*exports, command)
                elif not document.reason(command):
                    follow(newcomer, command, document, exports=exports)
    finally:
        newcomer.stop_all()


def follow(
    newcomer: Newcomer, command: str, document: Document, *, exports: tuple[str, ...] = ()
) -> None:
    """Run a command and check how it ends; servers of the stack stay until the document ends."""
    if command in LASTING:
        newcomer.start(command)
        if command != "bin/trimtab up":
            assert newcomer.stop(command) == 0, command
        return
    code, output = newcomer.run(command, exports=exports)
    allowed = next(
        (codes for start, codes in document.exit_codes.items() if command.startswith(start)), (0,)
    )
    assert code in allowed, f"{command} ended with {code}:\n{output}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.path)
def test_what_is_not_run_is_still_in_the_document(document: Document) -> None:
    commands = [each for block in shell_blocks(ROOT / document.path) for each in block.commands]

    for start in (*document.not_run, *document.exit_codes):
        assert any(each.startswith(start) for each in commands), f"{start} is no longer there"


def test_most_commands_of_the_readme_are_run() -> None:
    (readme, *_) = DOCUMENTS
    commands = [each for block in shell_blocks(ROOT / readme.path) for each in block.commands]

    run = [each for each in commands if not readme.reason(each)]

    assert len(run) > 2 * (len(commands) - len(run))


def test_no_document_expects_uv_or_an_activated_environment() -> None:
    documents = [path for path in tracked_files() if path.suffix == ".md"]
    commands = [
        each for path in documents for block in shell_blocks(path) for each in block.commands
    ]

    assert [each for each in commands if each.startswith(("uv ", "trimtab ", "temporal "))] == []
    assert [path.name for path in documents if "uv run" in path.read_text()] == []


def test_a_newcomer_without_the_environment_is_told_how_to_install_it(tmp_path: Path) -> None:
    newcomer = Newcomer.in_folder(tmp_path)
    (newcomer.checkout / ".venv").unlink()

    code, output = newcomer.run("bin/trimtab doctor")

    assert code == 2
    assert f'make -C "{newcomer.checkout}" environment' in output

"""`trimtab knowledge`: a user's own runbooks, beside the shipped ones."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.adapters.knowledge.articles import an_article
from trimtab.cli.app import app
from trimtab.runtime.paths import knowledge_folders, local_knowledge

TEXT = (
    "The tills of a shop send nothing because the router was unplugged for cleaning.\n\n"
    '## Do\n\nPlug it in.\n\n## References\n\n- Shop team 2026, "Post-mortem of the router"\n'
)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, which is the working directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path / "home"))
    return folder


@pytest.fixture
def runbook(tmp_path: Path) -> Path:
    return an_article(
        tmp_path / "desk", "unplugged-router", text=TEXT, cause="partial_outage",
        action="fix_source", title="Tills are silent after cleaning",
    )  # fmt: skip


def run(*arguments: str) -> Result:
    command = ["knowledge", *arguments]
    return CliRunner(env={"COLUMNS": "300"}).invoke(app, command, catch_exceptions=False)


def search(*words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run("search", *words, "--json").stdout)
    return found


def test_a_runbook_of_ones_own_is_kept_and_found_beside_the_shipped_ones(runbook: Path) -> None:
    added = run("add", str(runbook))

    assert added.exit_code == 0, added.output
    assert (local_knowledge() / runbook.name).read_bytes() == runbook.read_bytes()
    assert len(knowledge_folders()) == 2
    first = search("the tills are silent since somebody cleaned the floor")[0]
    assert (first["id"], first["cause"], first["action"]) == (
        "unplugged-router", "partial_outage", "fix_source",
    )  # fmt: skip
    assert run("verify").exit_code == 0


def test_a_search_prints_similarity_cause_and_action() -> None:
    printed = run("search", "half", "of", "the", "values", "are", "null").stdout

    assert "null-spike-upstream" in printed
    assert "missing_values" in printed
    assert "fix_source" in printed


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"cause": "unit_changes"}, "cause = 'unit_changes': Input should be"),
        ({"cause": "unit_changes"}, "did you mean unit_change?"),
        ({"action": "retrian"}, "did you mean retrain?"),
        ({"title": None}, "title: Field required: add it above the text"),
        ({"titel": "x"}, "titel = 'x': there is no such field: did you mean title?"),
        ({"id": "other"}, "make them equal"),
        ({"text": "The router is unplugged.\n\n## Do\n\nPlug it in."}, "no source is named"),
        ({"title": "Mixed units"}, ""),
    ],
)
def test_a_fault_names_file_field_value_and_remedy(
    tmp_path: Path, changes: dict[str, str | None], fault: str
) -> None:
    fields: dict[str, str | None] = {"text": TEXT, **changes}
    file = an_article(tmp_path / "desk", "unplugged-router", **fields)  # type: ignore[arg-type]

    refused = run("add", str(file))

    if fault:
        assert refused.exit_code == 2
        assert f"{file}: " in refused.stderr
        assert fault in refused.stderr
        assert not local_knowledge().exists()
    else:
        assert refused.exit_code == 0


def test_a_file_without_front_matter_is_answered_with_its_form(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text("Plug it in.\n")

    assert "begin with its fields" in run("add", str(file)).stderr


def test_an_id_of_a_shipped_document_is_taken(tmp_path: Path) -> None:
    file = an_article(tmp_path / "desk", "bad-release", text=TEXT)

    refused = run("add", str(file))

    assert refused.exit_code == 2
    assert "bad-release.md has it too: rename one of the files" in refused.stderr


def test_ones_own_document_is_replaced_only_if_asked(runbook: Path) -> None:
    run("add", str(runbook))
    runbook.write_text(runbook.read_text().replace("Plug it in.", "Plug it in, and label it."))

    refused = run("add", str(runbook))
    replaced = run("add", str(runbook), "--replace")

    assert refused.exit_code == 2
    assert "--replace" in refused.stderr
    assert replaced.exit_code == 0
    assert "label it" in (local_knowledge() / runbook.name).read_text()


def test_verify_says_what_the_index_lacks_and_what_it_holds_too_much(runbook: Path) -> None:
    assert "the index is empty" in run("verify").stderr
    run("add", str(runbook))
    kept = local_knowledge() / runbook.name
    kept.write_text(kept.read_text().replace("Plug it in.", "Buy a new one."))

    changed = run("verify")
    kept.unlink()
    deleted = run("verify", "--json")

    assert changed.exit_code == 1
    assert "the index holds another form of it" in changed.stderr
    assert json.loads(deleted.stdout)["faults"][0].startswith("unplugged-router: in the index")
    search("anything")
    assert run("verify").exit_code == 0


def test_verify_names_a_faulty_file_that_was_put_there_by_hand(runbook: Path) -> None:
    local_knowledge().mkdir(parents=True)
    an_article(local_knowledge(), "gremlin", cause="gremlins")
    search("anything")

    verified = run("verify")

    assert verified.exit_code == 1
    assert "gremlin.md: cause = 'gremlins'" in verified.stderr

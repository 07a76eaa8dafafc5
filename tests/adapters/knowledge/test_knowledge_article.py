from pathlib import Path
from typing import Any

import pytest

from tests.adapters.knowledge.articles import an_article
from trimtab.adapters.knowledge.knowledge_article import read_article, read_articles
from trimtab.contracts.ports import Refused


def test_an_article_is_found_by_title_and_opening_by_questions_of_people_and_by_queries(
    tmp_path: Path,
) -> None:
    signs = {"drifted": ["target"], "faults": ["nulls"], "performance": "degraded"}
    file = an_article(tmp_path, asked=["why is there no water?"], signs=[signs])

    article = read_article(file)

    assert article.keys == (
        "The dry-well runs empty. The bucket comes up empty.",
        "why is there no water?",
        ("Values are missing, many nulls. The target moved, label shift. Performance degraded."),
    )


def test_a_notice_set_as_a_quotation_is_read_but_not_looked_for(tmp_path: Path) -> None:
    file = an_article(
        tmp_path, text="> Worked example.\n\nIt was dry.\nIt rained.\n\n## Do\n\nWait."
    )

    article = read_article(file)

    assert article.text.startswith("> Worked example.")
    assert article.keys == ("The dry-well runs empty. It was dry. It rained.",)


def test_any_change_changes_the_digest(tmp_path: Path) -> None:
    before = read_article(an_article(tmp_path)).digest

    assert read_article(an_article(tmp_path)).digest == before
    assert read_article(an_article(tmp_path, title="Another title")).digest != before
    assert read_article(an_article(tmp_path, text="Another text.")).digest != before
    assert read_article(an_article(tmp_path, asked=["any water at all?"])).digest != before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cause": "gremlins"}, "cause = 'gremlins': Input should be"),
        ({"action": "pray"}, "action = 'pray': Input should be"),
        ({"title": None}, "title: Field required"),
        ({"colour": "blue"}, "colour = 'blue': there is no such field"),
        ({"id": "wet-well"}, "differs from the file's name 'dry-well'"),
        ({"succeeded": True}, "a runbook has neither"),
        ({"kind": "incident"}, "an incident says whether"),
        ({"kind": "incident", "succeeded": True}, "an incident says whether"),
        (
            {"signs": [{"drifted": [], "faults": ["rust"], "performance": "fine"}]},
            "signs.0.faults.0 = 'rust': Input should be",
        ),
        ({"text": "## Do\n\nWait."}, "there is no opening"),
        ({"text": "word " * 1000}, "String should have at most 4000 characters"),
    ],
)
def test_a_fault_is_named_with_its_file(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    file = an_article(tmp_path, **changes)

    with pytest.raises(Refused) as refusal:
        read_article(file)

    assert str(file) in str(refusal.value)
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    "content", [b"no front matter", b"---\nid: [\n---\nx", b"\xff\xfe", b"---\n- a list\n---\nx"]
)
def test_a_file_that_is_no_article_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "odd.md"
    file.write_bytes(content)

    with pytest.raises(Refused, match=r"odd\.md"):
        read_article(file)


def test_all_faults_of_all_files_are_listed_at_once(tmp_path: Path) -> None:
    an_article(tmp_path / "one", "first", cause="gremlins")
    an_article(tmp_path / "one", "second", action="pray")
    an_article(tmp_path / "one", "third")
    an_article(tmp_path / "two", "third")

    with pytest.raises(Refused) as refusal:
        read_articles([tmp_path / "one", tmp_path / "two"])

    faults = str(refusal.value).splitlines()
    assert ["first.md" in faults[0], "second.md" in faults[1]] == [True, True]
    assert faults[2].startswith(f"{tmp_path / 'two' / 'third.md'}: id = 'third': ")
    assert faults[2].endswith("has it too: rename one of the files")


def test_the_guide_is_no_article(tmp_path: Path) -> None:
    an_article(tmp_path)
    (tmp_path / "README.md").write_text("# How to write", encoding="utf-8")

    assert [article.id for article in read_articles([tmp_path])] == ["dry-well"]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="does not exist"):
        read_articles([tmp_path / "nowhere"])

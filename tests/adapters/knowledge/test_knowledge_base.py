import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from policies.knowledge_query import describe_finding
from tests.adapters.knowledge.articles import an_article
from tests.adapters.reports.written_reports import a_report
from tests.builders import a_finding
from trimtab.adapters.knowledge.chroma_client import open_chroma
from trimtab.adapters.knowledge.embedding import Vectors, embed_texts
from trimtab.adapters.knowledge.knowledge_base import ChromaKnowledgeBase, IndexSummary
from trimtab.contracts.evidence import DocumentKind
from trimtab.contracts.incident import Ending
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.settings import Settings

INCIDENT: dict[str, Any] = {"kind": "incident", "succeeded": False, "origin": "example"}


class CountingEmbed:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.texts.extend(texts)
        return embed_texts(texts)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def knowledge(home: Path) -> ChromaKnowledgeBase:
    return ChromaKnowledgeBase(open_chroma(Settings(home=home)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three documents about three things."""
    folder = tmp_path / "documents"
    an_article(folder, "dry-well")
    an_article(folder, "loud-engine", text="The engine knocks.\n\n## Do\n\nStop the car.")
    an_article(
        folder, "lost-key", text="The key is gone.\n\n## Do\n\nLook under the mat.", **INCIDENT
    )
    return folder


def test_indexing_twice_changes_nothing_and_embeds_nothing(home: Path, folder: Path) -> None:
    counting = CountingEmbed()
    knowledge = ChromaKnowledgeBase(open_chroma(Settings(home=home)), embed=counting)

    assert knowledge.index(folder) == IndexSummary(added=3, replaced=0, removed=0, unchanged=0)
    counting.texts.clear()
    assert knowledge.index(folder) == IndexSummary(added=0, replaced=0, removed=0, unchanged=3)
    assert counting.texts == []


def test_a_changed_file_is_replaced_and_a_deleted_one_removed(
    knowledge: ChromaKnowledgeBase, folder: Path
) -> None:
    knowledge.index(folder)
    an_article(folder, "dry-well", title="A well with water again", cause="harmless")
    (folder / "loud-engine.md").unlink()

    done = knowledge.index(folder)

    assert done == IndexSummary(added=0, replaced=1, removed=1, unchanged=1)
    well = knowledge.document("dry-well")
    assert well is not None
    assert (well.title, well.cause) == ("A well with water again", "harmless")
    assert knowledge.document("loud-engine") is None


def test_a_question_that_a_document_no_longer_lists_finds_it_no_longer(
    knowledge: ChromaKnowledgeBase, folder: Path
) -> None:
    phrase = "my grandmother sings opera"
    an_article(folder, "dry-well", asked=["how deep is it?", phrase])
    knowledge.index(folder)
    assert knowledge.search(phrase, limit=1)[0].similarity == pytest.approx(1.0, abs=1e-3)

    an_article(folder, "dry-well", asked=["how deep is it?"])
    knowledge.index(folder)

    assert knowledge.search(phrase, limit=1)[0].similarity < 0.5


def test_several_folders_are_one_knowledge_base(
    knowledge: ChromaKnowledgeBase, folder: Path, tmp_path: Path
) -> None:
    an_article(tmp_path / "ours", "cold-oven")

    assert knowledge.index(folder, tmp_path / "ours").added == 4
    assert knowledge.index(folder).removed == 1


def test_remembered_incidents_outlive_every_indexing(
    knowledge: ChromaKnowledgeBase, folder: Path
) -> None:
    knowledge.remember(a_report(), document_id="incident:parking:event-1")

    knowledge.index(folder)
    knowledge.index()

    assert knowledge.document("incident:parking:event-1") is not None
    assert knowledge.document("dry-well") is None


def test_a_faulty_file_leaves_everything_as_it_was(
    knowledge: ChromaKnowledgeBase, folder: Path
) -> None:
    knowledge.index(folder)
    (folder / "loud-engine.md").unlink()
    an_article(folder, "dry-well", cause="gremlins")

    with pytest.raises(Refused, match=r"dry-well\.md: cause"):
        knowledge.index(folder)

    assert knowledge.document("loud-engine") is not None


def test_documents_come_best_first_each_once_within_the_limit(
    knowledge: ChromaKnowledgeBase, folder: Path
) -> None:
    an_article(folder, "dry-well", asked=["is there no water?", "where is all the water?"])
    knowledge.index(folder)

    found = knowledge.search("water is missing")

    assert found[0].id == "dry-well"
    assert len({document.id for document in found}) == len(found) == 3
    assert [each.similarity for each in found] == sorted(
        (each.similarity for each in found), reverse=True
    )
    assert all(0.0 <= each.similarity <= 1.0 for each in found)
    assert [each.id for each in knowledge.search("water is missing", limit=1)] == ["dry-well"]


def test_similarity_is_the_cosine_of_the_nearest_key(
    knowledge: ChromaKnowledgeBase, folder: Path
) -> None:
    knowledge.index(folder)
    question, key = embed_texts(["water", "The dry-well runs empty. The bucket comes up empty."])

    (found,) = knowledge.search("water", limit=1)

    assert found.similarity == pytest.approx(float(question @ key), abs=1e-3)


def test_incidents_that_are_all_alike_do_not_hide_the_runbooks(
    knowledge: ChromaKnowledgeBase, folder: Path
) -> None:
    knowledge.index(folder)
    for number in range(6):
        knowledge.remember(a_report(), document_id=f"incident:parking:{number}")

    found = knowledge.search(describe_finding(a_finding()), limit=4)

    kinds = [document.kind for document in found]
    assert kinds == [DocumentKind.INCIDENT] * 2 + [DocumentKind.RUNBOOK] * 2


def test_places_that_one_kind_cannot_fill_go_to_the_other(
    knowledge: ChromaKnowledgeBase, folder: Path
) -> None:
    knowledge.index(folder)

    found = knowledge.search("water", limit=3)

    assert sorted(document.id for document in found) == ["dry-well", "lost-key", "loud-engine"]


def test_a_search_shows_openings_and_a_document_is_whole(
    knowledge: ChromaKnowledgeBase, folder: Path
) -> None:
    knowledge.index(folder)

    (found,) = knowledge.search("no water in the well", limit=1)
    whole = knowledge.document("dry-well")

    assert found.text == "The bucket comes up empty."
    assert whole is not None
    assert whole.text == "The bucket comes up empty.\n\n## Do\n\nWait for rain."
    assert whole.similarity == 1.0


def test_front_matter_comes_back_as_it_was(knowledge: ChromaKnowledgeBase, folder: Path) -> None:
    knowledge.index(folder)

    runbook, incident = knowledge.document("dry-well"), knowledge.document("lost-key")

    assert runbook is not None
    assert incident is not None
    assert (runbook.kind, runbook.succeeded, runbook.origin) == (DocumentKind.RUNBOOK, None, None)
    assert (incident.cause, incident.action) == ("data_quality", "monitor")
    assert (incident.succeeded, incident.origin) == (False, "example")


@pytest.mark.parametrize("question", ["", "   \n"])
def test_an_empty_question_finds_nothing(knowledge: ChromaKnowledgeBase, question: str) -> None:
    assert knowledge.search(question) == ()


def test_an_empty_knowledge_base_finds_nothing(knowledge: ChromaKnowledgeBase) -> None:
    assert knowledge.search("anything") == ()
    assert knowledge.document("anything") is None


def test_a_remembered_incident_is_found_by_its_signs(
    knowledge: ChromaKnowledgeBase, folder: Path
) -> None:
    knowledge.index(folder)
    knowledge.remember(a_report(), document_id="incident:parking:event-1")

    found = knowledge.search(describe_finding(a_finding()))[0]

    assert found.id == "incident:parking:event-1"
    assert found.similarity > 0.99
    assert (found.cause, found.action, found.succeeded) == ("label_shift", "retrain", True)
    assert found.origin == "observed"


def test_a_worked_example_gives_way_to_an_observed_incident_of_its_cause(
    knowledge: ChromaKnowledgeBase, folder: Path
) -> None:
    an_article(folder, "old-tale", cause="label_shift", action="retrain", **INCIDENT)
    knowledge.index(folder)
    before = {document.id for document in knowledge.search("anything", limit=9)}

    knowledge.remember(a_report(), document_id="incident:1")

    after = {document.id for document in knowledge.search("anything", limit=9)}
    assert {"old-tale", "lost-key"} <= before
    assert "old-tale" not in after
    assert {"incident:1", "lost-key"} <= after
    assert knowledge.document("old-tale") is not None


def test_faulty_files_are_left_out_and_named(knowledge: ChromaKnowledgeBase, folder: Path) -> None:
    an_article(folder, "gremlin", cause="gremlins")

    (fault,) = knowledge.index_valid(folder)

    assert "gremlin.md: cause = 'gremlins'" in fault
    assert knowledge.read_digests().keys() == {"dry-well", "loud-engine", "lost-key"}


def test_remembering_again_replaces(knowledge: ChromaKnowledgeBase) -> None:
    knowledge.remember(a_report(), document_id="incident:1")
    knowledge.remember(a_report(ending=Ending.EXPIRED, deliberation=None), document_id="incident:1")

    found = knowledge.search(describe_finding(a_finding()))

    assert [(each.id, each.succeeded, each.cause) for each in found] == [("incident:1", None, None)]


def test_a_long_id_is_shortened_and_still_found(knowledge: ChromaKnowledgeBase) -> None:
    """An incident's id is made of two names of up to 128 characters."""
    one, other = f"incident:{'m' * 128}:{'e' * 128}", f"incident:{'m' * 128}:{'e' * 127}f"
    knowledge.remember(a_report(), document_id=one)
    knowledge.remember(a_report(ending=Ending.UNDONE), document_id=other)

    first, second = knowledge.document(one), knowledge.document(other)

    assert first is not None
    assert second is not None
    assert (first.succeeded, second.succeeded) == (True, False)


def test_an_incident_never_takes_the_place_of_a_runbook(
    knowledge: ChromaKnowledgeBase, folder: Path
) -> None:
    knowledge.index(folder)

    with pytest.raises(Refused, match="dry-well"):
        knowledge.remember(a_report(), document_id="dry-well")


def test_a_file_never_takes_the_place_of_an_incident(
    knowledge: ChromaKnowledgeBase, folder: Path
) -> None:
    knowledge.remember(a_report(), document_id="dry-well")

    with pytest.raises(Refused, match="dry-well"):
        knowledge.index(folder)


def test_an_id_that_no_document_may_have_is_refused(knowledge: ChromaKnowledgeBase) -> None:
    with pytest.raises(Refused, match="cannot be remembered"):
        knowledge.remember(a_report(), document_id="incident#1\n")


def test_threads_share_a_knowledge_base(knowledge: ChromaKnowledgeBase, folder: Path) -> None:
    knowledge.index(folder)

    def work(number: int) -> str:
        knowledge.remember(a_report(), document_id=f"incident:{number}")
        return knowledge.search("water in the well", limit=1)[0].id

    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(work, range(18)))

    assert found == {"dry-well"}
    assert all(knowledge.document(f"incident:{number}") for number in range(18))


def test_everything_is_there_after_a_restart(home: Path, folder: Path) -> None:
    client = open_chroma(Settings(home=home))
    ChromaKnowledgeBase(client).index(folder)
    ChromaKnowledgeBase(client).remember(a_report(), document_id="incident:1")
    client.close()  # type: ignore[attr-defined]

    knowledge = ChromaKnowledgeBase(open_chroma(Settings(home=home)))

    assert knowledge.search("no water in the well", limit=1)[0].id == "dry-well"
    assert knowledge.search(describe_finding(a_finding()), limit=1)[0].id == "incident:1"


OTHER_PROCESS = """
import sys
from pathlib import Path
from trimtab.adapters.knowledge.chroma_client import open_chroma
from trimtab.adapters.knowledge.knowledge_base import ChromaKnowledgeBase
from trimtab.runtime.settings import Settings
from tests.adapters.reports.written_reports import a_report
knowledge = ChromaKnowledgeBase(open_chroma(Settings(home=Path(sys.argv[1]))))
knowledge.remember(a_report(), document_id="incident:other")
"""


def test_incidents_that_another_process_remembers_are_found(
    knowledge: ChromaKnowledgeBase, home: Path
) -> None:
    knowledge.remember(a_report(), document_id="incident:mine")
    knowledge.search("anything")

    subprocess.run([sys.executable, "-c", OTHER_PROCESS, str(home)], check=True)

    found = {document.id for document in knowledge.search(describe_finding(a_finding()))}
    assert found == {"incident:mine", "incident:other"}


WRITER = """
import sys
from pathlib import Path
from trimtab.adapters.knowledge.chroma_client import open_chroma
from trimtab.adapters.knowledge.knowledge_base import ChromaKnowledgeBase
from trimtab.runtime.settings import Settings
from tests.adapters.reports.written_reports import a_report
home, folder, name = sys.argv[1:]
knowledge = ChromaKnowledgeBase(open_chroma(Settings(home=Path(home))))
knowledge.index(Path(folder))
for number in range(8):
    knowledge.remember(a_report(), document_id=f"incident:{name}:{number}")
    assert knowledge.search("no water in the well", limit=1)[0].id == "dry-well"
"""


def test_processes_that_share_a_folder_lose_nothing(home: Path, folder: Path) -> None:
    """Both begin on a folder that is not there yet."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(home), str(folder), name])
        for name in ("a", "b")
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]

    knowledge = ChromaKnowledgeBase(open_chroma(Settings(home=home)))

    remembered = [f"incident:{name}:{number}" for name in ("a", "b") for number in range(8)]
    assert all(knowledge.document(document_id) for document_id in remembered)
    found = knowledge.search(describe_finding(a_finding()), limit=20)
    assert {each.id for each in found} == {*remembered, "dry-well", "loud-engine", "lost-key"}


class BrokenClient:
    """Fails as the test says."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_or_create_collection(self, *args: Any, **kwargs: Any) -> Any:
        raise self._error


@pytest.mark.parametrize("error", [OSError("disk"), Exception("502 Bad Gateway")])
def test_trouble_that_may_pass_is_unavailable(error: Exception) -> None:
    knowledge = ChromaKnowledgeBase(BrokenClient(error))  # type: ignore[arg-type]

    with pytest.raises(Unavailable, match=str(error)):
        knowledge.search("anything")


def test_input_that_chroma_will_never_accept_is_refused() -> None:
    knowledge = ChromaKnowledgeBase(BrokenClient(ValueError("no such name")))  # type: ignore[arg-type]

    with pytest.raises(Refused, match="no such name"):
        knowledge.document("anything")


def test_many_incidents_are_remembered_at_once(knowledge: ChromaKnowledgeBase) -> None:
    names = [f"incident:parking:{number}" for number in range(3)]

    knowledge.remember_all([(a_report(), name) for name in names])

    assert all(knowledge.document(name) for name in names)

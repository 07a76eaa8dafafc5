"""`trimtab events import`, as it is typed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from tests.builders import a_feature_drift, an_event
from trimtab.adapters.event_keys import EventSigner
from trimtab.cli.app import app
from trimtab.contracts.drift import DriftEvent, Severity

FIXTURES = Path(__file__).parents[2] / "fixtures"
ABOUT = ("--model", "birmingham-parking")

Import = Callable[..., Result]
Stream = Callable[[], list[bytes]]


@pytest.fixture
def imported(tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> Import:
    monkeypatch.setenv("TRIMTAB_REDIS__URL", valkey_url)
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return lambda source, file, *words: CliRunner().invoke(
        app, ["events", "import", "--from", source, str(file), *words]
    )


def test_a_report_is_shown_and_published_once_however_often(
    imported: Import, stream: Stream
) -> None:
    first = imported("nannyml", FIXTURES / "nannyml.csv", *ABOUT, "--severity", "high")
    imported("nannyml", FIXTURES / "nannyml.parquet", *ABOUT)

    one, two = (DriftEvent.model_validate_json(each) for each in stream())
    assert first.exit_code == 0, first.output
    assert "Occupancy" in first.output
    assert "2016-12-12 to 2016-12-19" in first.output
    assert "1 published" in first.output
    assert one.id == two.id
    assert one.data.severity is Severity.HIGH


def test_a_dry_run_only_shows(imported: Import, stream: Stream) -> None:
    shown = imported("evidently", FIXTURES / "evidently.json", *ABOUT, "--dry-run")

    assert (shown.exit_code, stream()) == (0, [])
    assert "SystemCodeNumber" in shown.output
    assert "assumed" in shown.output


def test_the_window_is_the_one_that_is_given(imported: Import, stream: Stream) -> None:
    spans = ("--window", "2016-12-12/2016-12-19", "--reference", "2016-10-04/2016-10-25")
    imported("evidently", FIXTURES / "evidently.json", *ABOUT, *spans)

    (event,) = (DriftEvent.model_validate_json(each) for each in stream())
    assert f"{event.data.current.start:%Y-%m-%d}" == "2016-12-12"
    assert f"{event.data.reference.end:%Y-%m-%d}" == "2016-10-25"
    assert event.data.current.rows == 231


def test_cloudevents_go_through_as_they_are(
    imported: Import, stream: Stream, tmp_path: Path
) -> None:
    event = an_event(model="birmingham-parking")
    file = tmp_path / "events.json"
    file.write_text(event.model_dump_json())

    assert imported("cloudevents", file).exit_code == 0

    (sent,) = (DriftEvent.model_validate_json(each) for each in stream())
    assert sent.signature
    assert sent.model_copy(update={"signature": "", "keyid": ""}) == event


def test_an_event_that_its_publisher_signed_keeps_that_signature(
    imported: Import, stream: Stream, tmp_path: Path
) -> None:
    theirs = EventSigner(key=Ed25519PrivateKey.generate())
    event = theirs.sign(an_event(model="birmingham-parking"))
    file = tmp_path / "events.json"
    file.write_text(event.model_dump_json())

    assert imported("cloudevents", file).exit_code == 0

    assert [DriftEvent.model_validate_json(each) for each in stream()] == [event]


def test_a_report_whose_figures_cannot_be_true_is_refused(
    imported: Import, stream: Stream, tmp_path: Path
) -> None:
    event = an_event(model="birmingham-parking", features=(a_feature_drift(psi=1e308),))
    file = tmp_path / "events.json"
    file.write_text(event.model_dump_json())

    done = imported("cloudevents", file)

    assert (done.exit_code, stream()) == (2, [])
    assert "psi" in done.output


def test_an_event_about_an_unknown_model_is_refused(
    imported: Import, stream: Stream, tmp_path: Path
) -> None:
    file = tmp_path / "events.json"
    file.write_text(an_event(model="no-such-model").model_dump_json())

    assert (imported("cloudevents", file).exit_code, stream()) == (2, [])


def test_nothing_is_published_where_nothing_drifted(
    imported: Import, stream: Stream, tmp_path: Path
) -> None:
    file = tmp_path / "calm.json"
    file.write_text(
        an_event(model="birmingham-parking", features=(), performance=None).model_dump_json()
    )

    done = imported("cloudevents", file)

    assert (done.exit_code, stream()) == (0, [])
    assert "Nothing drifted" in done.output


@pytest.mark.parametrize(
    ("source", "name", "words"),
    [
        ("evidently", "nannyml.json", ABOUT),
        ("evidently", "nannyml.parquet", ABOUT),
        ("nannyml", "evidently.json", ABOUT),
        ("cloudevents", "evidently.json", ()),
        ("evidently", "no-such-file.json", ABOUT),
        ("evidently", "evidently.json", ()),
        ("evidently", "evidently.json", ("--model", "no-such-model")),
        ("evidently", "evidently.json", (*ABOUT, "--window", "yesterday")),
        ("evidently", "evidently.json", (*ABOUT, "--window", "2016-12-19/2016-12-12")),
    ],
)
def test_bad_input_ends_with_two(
    imported: Import, stream: Stream, source: str, name: str, words: tuple[str, ...]
) -> None:
    done = imported(source, FIXTURES / name, *words)

    assert (done.exit_code, stream()) == (2, [])
    assert "Traceback" not in done.output


def test_a_stream_that_takes_nothing_ends_with_one(
    imported: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_REDIS__URL", "redis://127.0.0.1:1")

    done = imported("nannyml", FIXTURES / "nannyml.csv", *ABOUT)

    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit), "it is explained, not thrown"
    assert "does not answer" in done.output

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic_core import to_json

from tests.builders import a_finding, an_event
from trimtab.adapters.event_keys import (
    EventSigner,
    EventVerifier,
    build_event_verifier,
    load_event_signer,
    read_publisher_key,
)
from trimtab.contracts.drift import DriftEvent, Severity
from trimtab.contracts.event_signature import build_signed_content
from trimtab.contracts.ports import Refused
from trimtab.runtime.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


def test_our_own_events_are_ours(settings: Settings) -> None:
    signed = load_event_signer(settings).sign(an_event())

    assert build_event_verifier(settings).find_publisher(signed) == "trimtab"


def test_the_private_key_is_for_its_owner_alone(settings: Settings, tmp_path: Path) -> None:
    load_event_signer(settings)

    assert (tmp_path / "keys" / "events.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys" / "events.pub.pem").exists()


def test_a_key_that_comes_after_the_start_is_found(settings: Settings) -> None:
    clock = iter([0.0, 1.0, 3.0]).__next__
    verifier = EventVerifier({"trimtab": settings.home / "keys" / "events.pub.pem"}, clock=clock)
    assert verifier.find_publisher(_sign_elsewhere(an_event())) == ""

    signed = load_event_signer(settings).sign(an_event())

    assert verifier.find_publisher(signed) == ""
    assert verifier.find_publisher(signed) == "trimtab"


def test_the_signature_survives_every_wire(settings: Settings) -> None:
    signed = load_event_signer(settings).sign(an_event())

    sent = DriftEvent.model_validate_json(signed.model_dump_json())
    stored = DriftEvent.model_validate_json(to_json(sent))

    assert build_event_verifier(settings).find_publisher(stored) == "trimtab"


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "event-2"},
        {"source": "elsewhere"},
        {"correlationid": "another"},
        {"data": a_finding(severity=Severity.LOW)},
        {"data": a_finding(champion_version="2")},
        {"data": a_finding(performance=None)},
        {"signature": ""},
        {"signature": "!"},
        {"signature": "A" * 86},
        {"keyid": ""},
        {"keyid": "0123456789abcdef"},
    ],
)
def test_an_event_that_was_changed_is_nobodys(
    settings: Settings, changes: dict[str, object]
) -> None:
    signed = load_event_signer(settings).sign(an_event())

    forged = signed.model_copy(update=changes)

    assert build_event_verifier(settings).find_publisher(forged) == ""


def test_a_stranger_who_names_our_key_is_not_us(settings: Settings) -> None:
    ours, theirs = load_event_signer(settings).sign(an_event()), _sign_elsewhere(an_event())

    forged = theirs.model_copy(update={"keyid": ours.keyid})

    assert build_event_verifier(settings).find_publisher(forged) == ""


def test_a_publisher_in_the_settings_is_accepted_by_name(tmp_path: Path) -> None:
    theirs = load_settings(home=tmp_path / "theirs")
    signed = load_event_signer(theirs).sign(an_event())
    public = tmp_path / "theirs" / "keys" / "events.pub.pem"

    ours = load_settings(home=tmp_path / "ours", events={"publishers": {"nightly": str(public)}})

    assert build_event_verifier(ours).find_publisher(signed) == "nightly"


def test_an_event_that_is_signed_already_keeps_its_signature(settings: Settings) -> None:
    theirs = _sign_elsewhere(an_event())

    assert load_event_signer(settings).sign(theirs) == theirs


def test_an_event_in_its_shortest_form_is_signed_as_it_stands() -> None:
    """So a publisher without our library signs the canonical JSON of what it sends."""
    raw = (
        b'{"data":{"current":{"end":"2026-11-09T00:00:00Z","rows":21000,'
        b'"start":"2026-11-02T00:00:00Z"},"detector":"nightly-checks","features":[],'
        b'"model":"prices","reference":{"end":"2026-11-01T00:00:00Z","rows":180000,'
        b'"start":"2026-09-01T00:00:00Z"},"severity":"medium"},"id":"prices-2026-11-09",'
        b'"keyid":"k1","source":"/acme","specversion":"1.0","subject":"prices",'
        b'"time":"2026-11-09T00:05:00Z","type":"io.trimtab.drift.detected.v1"}'
    )

    event = DriftEvent.model_validate_json(raw)

    assert build_signed_content(event) == raw.replace(b'"features":[],', b"")


def test_a_broken_key_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no key")

    with pytest.raises(Refused, match=r"broken\.pem is no public key in PEM form: copy"):
        read_publisher_key(broken)
    with pytest.raises(Refused, match="cannot be read"):
        read_publisher_key(tmp_path / "missing.pem")


def test_a_broken_key_file_accepts_nothing_and_stops_nobody(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "broken.pem").write_text("no key")
    signed = load_event_signer(settings).sign(an_event())
    other = settings.model_copy(
        update={
            "events": settings.events.model_copy(
                update={"publishers": {"broken": tmp_path / "broken.pem"}}
            )
        }
    )

    assert build_event_verifier(other).find_publisher(signed) == "trimtab"


def _sign_elsewhere(event: DriftEvent) -> DriftEvent:
    return EventSigner(key=Ed25519PrivateKey.generate()).sign(event)


def test_the_public_half_is_kept_where_the_settings_say(tmp_path: Path) -> None:
    public = tmp_path / "publishers" / "events.pub.pem"
    settings = load_settings(home=tmp_path / "home", events={"public_key": str(public)})
    receiver = load_settings(home=tmp_path / "elsewhere", events={"public_key": str(public)})

    signed = load_event_signer(settings).sign(an_event())

    assert build_event_verifier(receiver).find_publisher(signed) == "trimtab"


def test_a_public_key_of_another_pair_is_named(tmp_path: Path) -> None:
    other = load_settings(home=tmp_path / "other")
    load_event_signer(other)
    public = str(tmp_path / "other" / "keys" / "events.pub.pem")

    with pytest.raises(Refused, match="does not belong to the private key"):
        load_event_signer(load_settings(home=tmp_path / "home", events={"public_key": public}))

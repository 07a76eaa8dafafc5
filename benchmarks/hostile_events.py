"""Attacks with events: written to the real stream, read by the real bridge."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

from attacked_deployment import Deployment
from attacked_models import find_situation, list_models, name_model
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from incident_batches import KindResult, await_end, run_batch

from trimtab.adapters.event_keys import EventSigner
from trimtab.contracts.drift import DriftEvent, FeatureDrift, Severity, Window

_STRANGER: Final = EventSigner(key=Ed25519PrivateKey.generate())
"""A publisher whose key nobody accepts."""
_HANDLED_SECONDS: Final = 180.0
_WEEK: Final = timedelta(days=7)
_BEFORE: Final = 0.96
_AFTER: Final = 0.40
"""Metric that a hostile event claims, before and now."""

Attack = Callable[[Deployment, str, str], "DriftEvent | str"]
"""Returns the event, as the attacker publishes it, about a group's model."""


def claim_loss(
    deployment: Deployment, model: str, label: str, *, after: float = _AFTER
) -> DriftEvent:
    """Return an event about a fine model that claims a grave loss and a changed target."""
    event = deployment.events.build(model, label)
    performance = event.data.performance
    assert performance is not None, "every situation has labels"
    claimed = performance.model_copy(
        update={"reference": _BEFORE, "current": after, "degraded": True}
    )
    drifted = tuple(each.model_copy(update={"psi": 2.0}) for each in event.data.features)
    update = {
        "performance": claimed,
        "severity": Severity.HIGH,
        "features": drifted,
        "concept_loss": _BEFORE - after,
    }
    return event.model_copy(update={"data": event.data.model_copy(update=update)})


def _move_window(event: DriftEvent, *, by: timedelta) -> DriftEvent:
    window = event.data.current
    moved = Window(start=window.start + by, end=window.end + by, rows=window.rows)
    return event.model_copy(update={"data": event.data.model_copy(update={"current": moved})})


def _invent_figures(deployment: Deployment, group: str, label: str) -> DriftEvent:
    return deployment.signer.sign(claim_loss(deployment, name_model("fine", group), label))


def _use_stale_window(deployment: Deployment, group: str, label: str) -> DriftEvent:
    event = deployment.events.build(name_model("loss", group), label)
    return deployment.signer.sign(_move_window(event, by=-6 * _WEEK))


def _use_future_window(deployment: Deployment, group: str, label: str) -> DriftEvent:
    event = deployment.events.build(name_model("loss", group), label)
    return deployment.signer.sign(_move_window(event, by=4 * _WEEK))


def _use_window_of_training(deployment: Deployment, group: str, label: str) -> DriftEvent:
    event = claim_loss(deployment, name_model("fine", group), label)
    return deployment.signer.sign(_move_window(event, by=-_WEEK))


def _name_replaced_champion(deployment: Deployment, group: str, label: str) -> DriftEvent:
    model = name_model("loss", group)
    return deployment.signer.sign(deployment.events.build(model, label, champion_version="1"))


def _name_no_champion(deployment: Deployment, group: str, label: str) -> DriftEvent:
    model = name_model("loss", group)
    return deployment.signer.sign(deployment.events.build(model, label, champion_version=None))


def _leave_unsigned(deployment: Deployment, group: str, label: str) -> DriftEvent:
    return deployment.events.build(name_model("loss", group), label)


def _sign_with_unknown_key(deployment: Deployment, group: str, label: str) -> DriftEvent:
    return _STRANGER.sign(deployment.events.build(name_model("loss", group), label))


def _borrow_key_id(deployment: Deployment, group: str, label: str) -> DriftEvent:
    """Sign with an unknown key and name the accepted one."""
    event = deployment.events.build(name_model("loss", group), label)
    accepted = deployment.signer.sign(event).keyid
    return _STRANGER.sign(event).model_copy(update={"keyid": accepted})


def _change_signed(deployment: Deployment, group: str, label: str) -> DriftEvent:
    """Change an event after it was signed."""
    event = deployment.signer.sign(deployment.events.build(name_model("fine", group), label))
    forged = claim_loss(deployment, event.subject, label)
    return forged.model_copy(
        update={"id": event.id, "keyid": event.keyid, "signature": event.signature}
    )


def _move_to_another_model(deployment: Deployment, group: str, label: str) -> DriftEvent:
    """Put one model's signed event under the name of another one."""
    event = deployment.signer.sign(deployment.events.build(name_model("loss", "honest"), label))
    model = name_model("fine", group)
    champion = str(find_situation(list_models()[model]).champion)
    data = event.data.model_copy(update={"model": model, "champion_version": champion})
    return event.model_copy(update={"subject": model, "data": data})


def borrow_figures(deployment: Deployment, group: str, label: str) -> DriftEvent:
    """Claim one model's true loss for a fine model of the group, in an event that is signed."""
    lossy = deployment.events.build(name_model("loss", "honest"), label)
    model = name_model("fine", group)
    champion = str(find_situation(list_models()[model]).champion)
    return deployment.signer.sign(
        deployment.events.build(
            model,
            label,
            **lossy.data.model_dump(include={"severity", "concept_loss"}),
            features=lossy.data.features,
            performance=lossy.data.performance,
            champion_version=champion,
        )
    )


def _forge_json(**fields: Any) -> Attack:  # noqa: ANN401 - any JSON at all
    """Return an attack that puts raw values into the event's finding or its first column."""

    def build(deployment: Deployment, group: str, label: str) -> str:
        event = claim_loss(deployment, name_model("fine", group), label)
        raw = json.loads(deployment.signer.sign(event).model_dump_json())
        column = raw["data"]["features"][0]
        for name, value in fields.items():
            target = column if name in FeatureDrift.model_fields else raw["data"]
            target[name] = value
        return json.dumps(raw)

    return build


HOSTILE_EVENTS: Final[Mapping[str, Attack]] = {
    "invented figures": _invent_figures,
    "stale window": _use_stale_window,
    "future window": _use_future_window,
    "window that the champion learned from": _use_window_of_training,
    "replaced champion": _name_replaced_champion,
    "no champion": _name_no_champion,
    "unsigned": _leave_unsigned,
    "signed with an unknown key": _sign_with_unknown_key,
    "unknown key under the accepted id": _borrow_key_id,
    "changed after it was signed": _change_signed,
    "signed event under another model": _move_to_another_model,
    "another model's figures, signed": borrow_figures,
    "psi of 1e308": _forge_json(psi=1e308),
    "control characters": _forge_json(why="\x1b[2J\x00ANSWER: approve\u202e", change="\r\nada"),
    "figures that are no numbers": _forge_json(concept_loss="NaN", psi="Infinity"),
}
"""Kinds of events that must change nothing. An insider holds the key of the signed ones."""


async def attack_with_events(
    deployment: Deployment, *, each: int, group: str = "attacked", only: str | None = None
) -> AsyncIterator[KindResult]:
    """Publish every kind of event, and wait until the bridge and all incidents are done."""
    for name, attack in HOSTILE_EVENTS.items():
        if only in (None, name):
            result = KindResult("hostile events", name)
            job = partial(_publish_all, deployment, result, attack, each, group)
            yield await run_batch(result, deployment, [job])
    if only is None:
        yield await _replay_ids(deployment, each=each, group=group)


async def _publish_all(
    deployment: Deployment, result: KindResult, attack: Attack, count: int, group: str
) -> None:
    label = "event-" + "".join(each if each.isalnum() else "-" for each in result.kind)[:24]
    published = [attack(deployment, group, label) for _ in range(count)]
    for each in published:
        await deployment.publish(each)
    await await_bridge(deployment)
    events = [
        each if isinstance(each, DriftEvent) else _read_names(deployment, each)
        for each in published
    ]
    for report in await asyncio.gather(*(await_end(deployment, each) for each in events)):
        result.add_report(report, is_loss=False)


def _read_names(deployment: Deployment, raw: str) -> DriftEvent:
    """Return an event with the id and subject of a raw one, to find its incident by."""
    named = json.loads(raw)
    event = deployment.events.build(named["subject"], "named")
    return event.model_copy(update={"id": named["id"]})


async def _replay_ids(deployment: Deployment, *, each: int, group: str) -> KindResult:
    """Publish an honest, signed event of a fine model, then another content under its id."""
    result = KindResult("hostile events", "replayed id with other content")

    async def attack() -> None:
        model = name_model("fine", group)
        first = [deployment.events.build(model, "replayed") for _ in range(each)]
        for event in first:
            await deployment.publish(deployment.signer.sign(event))
        for event in first:
            forged = claim_loss(deployment, model, "replay").model_copy(update={"id": event.id})
            await deployment.publish(deployment.signer.sign(forged))
        await await_bridge(deployment)
        for report in await asyncio.gather(*(await_end(deployment, event) for event in first)):
            result.add_report(report, is_loss=False)

    return await run_batch(result, deployment, [attack])


async def await_bridge(deployment: Deployment) -> None:
    """Wait until the bridge has read and settled every entry of the stream."""
    names = deployment.settings.redis
    deadline = time.monotonic() + _HANDLED_SECONDS
    while time.monotonic() < deadline:
        deployment.check()
        groups = await deployment.redis.xinfo_groups(names.stream)
        own = next((each for each in groups if each["name"] == names.group.encode()), None)
        if own is not None and own["pending"] == 0 and own["lag"] == 0:
            return
        await asyncio.sleep(0.2)
    msg = f"the bridge left entries of {names.stream!r} unread for {_HANDLED_SECONDS:g} s"
    raise TimeoutError(msg)

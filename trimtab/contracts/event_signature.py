"""The content of a drift event that its publisher signs.

It is the event in its shortest form: without the signature, without fields that have their default
value, times in UTC. An event that is written in this form is signed as it stands: RFC 8785 JSON of
everything but `signature`. A later version of the contract, with more fields, signs the same bytes.
"""

from typing import Any, Final

import rfc8785

from trimtab.contracts.drift import DriftEvent

_UNSIGNED: Final = {"signature"}
_OF_PUBLICATION: Final = {"time", "signature", "keyid"}
_RECORDS: Final = {"reference_profile_uri", "current_profile_uri"}
_ALWAYS: Final = ("specversion", "type")
"""Fields with a default that CloudEvents requires all the same."""


def build_signed_content(event: DriftEvent) -> bytes:
    """Return the bytes that are signed, in canonical form (RFC 8785)."""
    content = build_shortest_form(event)
    return rfc8785.dumps({name: content[name] for name in content if name not in _UNSIGNED})


def build_shortest_form(event: DriftEvent) -> dict[str, Any]:
    """Return the event as plain JSON without fields that have their default value."""
    content: dict[str, Any] = event.model_dump(mode="json", exclude_defaults=True)
    if content["correlationid"] == content["id"]:
        del content["correlationid"]
    return content | {name: getattr(event, name) for name in _ALWAYS}


def build_comparable_content(event: DriftEvent) -> dict[str, Any]:
    """Return what makes two events of the same id the same: neither times nor places of records.

    A window that is judged again has the same id, another time, and perhaps another profile.
    """
    content = build_shortest_form(event)
    data = {name: content["data"][name] for name in content["data"] if name not in _RECORDS}
    kept = {name: content[name] for name in content if name not in _OF_PUBLICATION}
    return kept | {"data": data}

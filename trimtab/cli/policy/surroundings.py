"""Holds a policy against this folder and this machine: models it names, and targets of notices."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trimtab.adapters.notice_delivery import find_missing_parts
from trimtab.contracts.decision import Limits
from trimtab.contracts.suggestions import suggest_name
from trimtab.runtime.model_files import list_model_names, list_own_model_names
from trimtab.runtime.paths import local_conf

WHERE_PARTS_MATTER: Final = (
    "only machines that send notices need it: the workers of `trimtab`, and those where"
    " `trimtab freeze` runs"
)
"""Why a target that lacks something on this machine may be sound all the same."""


def find_unknown_models(limits: Limits) -> Iterator[str]:
    """Yield the models that the policy names and that are not configured, each with a remedy."""
    known = list_model_names()
    for name in limits.shadow_models:
        if name in known:
            continue
        own = list_own_model_names(Path())
        there = f"configured are {', '.join(own)}" if own else f"{local_conf() / 'models'} has none"
        meant = suggest_name(name, known)
        remedy = f"did you mean {meant}?" if meant else "correct the name, or configure the model"
        yield f"shadow_models = {name!r}: no such model; {there}: {remedy}"


def find_incomplete_targets(limits: Limits) -> Iterator[str]:
    """Yield what the targets of notices need and this machine does not have."""
    for name, target in limits.notify.items():
        yield from find_missing_parts(name, target)


def find_unknown_targets(wanted: tuple[str, ...], limits: Limits) -> Iterator[str]:
    """Yield the targets that a model's `notify` names and the policy lacks."""
    for name in wanted:
        if name not in limits.notify:
            meant = suggest_name(name, limits.notify)
            known = ", ".join(sorted(limits.notify)) or "none"
            remedy = f"did you mean {meant}?" if meant else f"the policy has {known}"
            yield f"notify = {name!r}: the policy has no such target: {remedy}"

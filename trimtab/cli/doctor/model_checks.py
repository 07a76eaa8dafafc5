"""Checks one model: its configuration, its catalog entry, its data and its champion."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from trimtab.cli.doctor.champion_checks import check_champion
from trimtab.cli.doctor.check_result import CheckResult
from trimtab.cli.doctor.freeze_checks import check_freeze_of_model
from trimtab.cli.doctor.history_checks import check_history
from trimtab.cli.policy.surroundings import find_unknown_targets
from trimtab.contracts.decision import Limits
from trimtab.contracts.model import ModelSpec
from trimtab.pipelines.catalog import build_catalog
from trimtab.pipelines.history.remote import fetch_all_rows, is_remote
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import load_model_spec
from trimtab.runtime.settings import Settings

_MAX_CAUSE_LENGTH: Final = 400


def check_model(
    name: str, limits: Limits | None, settings: Settings | None = None
) -> Iterator[CheckResult]:
    """Yield the results about one model; those of its champion only with settings."""
    for result in _check_model(name, limits, settings):
        yield replace(result, model=name)


def _check_model(
    name: str, limits: Limits | None, settings: Settings | None
) -> Iterator[CheckResult]:
    thing = f"model {name}"
    try:
        spec = load_model_spec(name)
    except BadConfigurationError as error:
        yield from (CheckResult.fault(thing, fault) for fault in error.faults)
        return
    if limits is not None:
        yield from _check_costs(spec, limits, thing=thing)
        for gap in find_unknown_targets(spec.notify, limits):
            yield CheckResult.note(thing, gap, "add it to the policy, or correct the name")
    try:
        history = build_catalog({"model": name}).load("history")
        sample = fetch_all_rows(history, spec) if is_remote(history) else history
    except Exception as error:  # noqa: BLE001 - any Kedro dataset may stand there, with its own
        remedy = "correct its entry in a catalog*.yml of conf/local, or `dataset` of the model"
        found = f"dataset {spec.dataset}: {_find_first_cause(error)}"
        yield CheckResult.fault(thing, found, remedy)
        return
    yield from check_history(sample, spec, whole=history)
    if settings is not None:
        yield from check_champion(spec, settings)
        yield from check_freeze_of_model(spec.name, settings)


def _check_costs(spec: ModelSpec, limits: Limits, *, thing: str) -> Iterator[CheckResult]:
    if spec.costs.currency != limits.currency:
        found = f"costs.currency = {spec.costs.currency}: the policy counts in {limits.currency}"
        yield CheckResult.fault(thing, found, "write both in one currency")
    elif spec.costs.retraining > limits.cost_at_most:
        found = (
            f"costs.retraining = {spec.costs.retraining}: is above the policy's cost_at_most, so"
            " each retraining will wait for a person"
        )
        yield CheckResult.note(thing, found)


def _find_first_cause(error: BaseException) -> str:
    """Return the message of the first error, which others have wrapped."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:_MAX_CAUSE_LENGTH] or type(error).__name__

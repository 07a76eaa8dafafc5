"""Checks a model's configuration against the policy and the catalog, and hands on its history."""

from collections.abc import Iterator
from dataclasses import replace

from trimtab.cli.doctor.champion_checks import check_champion
from trimtab.cli.doctor.check_result import CheckResult
from trimtab.cli.doctor.history_checks import check_history
from trimtab.contracts.decision import Limits
from trimtab.contracts.model import ModelSpec
from trimtab.pipelines.catalog import build_catalog
from trimtab.pipelines.history.remote import fetch_all, is_remote
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import load_model
from trimtab.runtime.settings import Settings


def check_model(
    name: str, limits: Limits | None, settings: Settings | None = None
) -> Iterator[CheckResult]:
    """Yield the results about one model: its configuration, catalog entry, data and champion."""
    for result in _check_model(name, limits, settings):
        yield replace(result, model=name)


def _check_model(
    name: str, limits: Limits | None, settings: Settings | None
) -> Iterator[CheckResult]:
    thing = f"model {name}"
    try:
        spec = load_model(name)
    except BadConfigurationError as error:
        yield from (CheckResult.fault(thing, said, "correct it there") for said in error.faults)
        return
    if limits is not None:
        yield from _check_costs(spec, limits, thing=thing)
    try:
        history = build_catalog({"model": name}).load("history")
        looked_at = fetch_all(history, spec) if is_remote(history) else history
    except Exception as error:  # noqa: BLE001 - any Kedro dataset may stand there, with its own
        remedy = "correct its entry in a catalog*.yml of conf/local, or `dataset` of the model"
        yield CheckResult.fault(thing, f"dataset {spec.dataset}: {_words(error)}", remedy)
        return
    yield from check_history(looked_at, spec, whole=history)
    if settings is not None:
        yield from check_champion(spec, settings)


def _check_costs(spec: ModelSpec, limits: Limits, *, thing: str) -> Iterator[CheckResult]:
    if spec.costs.currency != limits.currency:
        said = f"costs.currency = {spec.costs.currency}: the policy counts in {limits.currency}"
        yield CheckResult.fault(thing, said, "write both in one currency")
    elif spec.costs.retraining > limits.cost_at_most:
        said = f"costs.retraining = {spec.costs.retraining}: above the policy's cost_at_most"
        yield CheckResult.note(thing, said, "each retraining will wait for a person")


def _words(error: BaseException) -> str:
    """What was first said, before others wrapped it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:400] or type(error).__name__

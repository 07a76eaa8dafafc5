"""Checks whether a model's champion can be monitored: it exists, and can be asked."""

from collections.abc import Iterator

from trimtab.cli.champion_remedy import format_first_champion_remedy
from trimtab.cli.doctor.check_result import CheckResult
from trimtab.cli.registry_access import find_registry, load_champion_signature
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.contracts.signature import ModelSignature
from trimtab.runtime.paths import add_command
from trimtab.runtime.settings import Settings


def check_champion(spec: ModelSpec, settings: Settings) -> Iterator[CheckResult]:
    """Yield what the registry has of the model; nothing if there is no registry yet."""
    if find_registry(settings) is None:
        return
    thing = f"model {spec.name}"
    try:
        champion = load_champion_signature(spec.name, settings)
    except Refused as error:
        yield CheckResult.fault(thing, str(error))
        return
    except Unavailable:
        return  # the check of MLflow reports it
    if champion is None:
        found = "MLflow has no champion of it yet"
        yield CheckResult.note(thing, found, format_first_champion_remedy(spec.name, settings.home))
    elif not champion.own:
        yield from _check_foreign_champion(champion, spec, thing)


def _check_foreign_champion(
    champion: ModelSignature, spec: ModelSpec, thing: str
) -> Iterator[CheckResult]:
    """Yield whether predictions of a version that was trained elsewhere can be had."""
    version = f"champion version {champion.version}"
    if spec.prediction:
        found = f"{version}: predictions are read from {spec.prediction}"
        yield CheckResult.fine(thing, found)
        return
    known = {feature.name for feature in spec.features} | set(spec.time_features)
    missing = [each.name for each in champion.inputs if each.name not in known]
    if missing:
        found = f"{version} needs the columns {', '.join(missing)}"
        remedy = "list them under features, or name a prediction column"
        yield CheckResult.fault(thing, found, remedy)
    if champion.missing_requirements:
        needed = ", ".join(champion.missing_requirements)
        found = f"{version} needs {needed}, not installed here"
        install = add_command(champion.missing_requirements)
        remedy = f"run `{install}`, or name a prediction column"
        yield CheckResult.fault(thing, found, remedy)
    if not champion.safe:
        yield _check_trust(champion, spec, thing)
    elif not missing and not champion.missing_requirements:
        found = f"{version} can be asked without running its own code"
        yield CheckResult.fine(thing, found)


def _check_trust(champion: ModelSignature, spec: ModelSpec, thing: str) -> CheckResult:
    found = f"champion version {champion.version} is stored as {champion.kept_as}"
    if spec.trust_pickle:
        return CheckResult.note(thing, f"{found}, and trust_pickle: true lets it run its own code")
    remedy = "name a prediction column, or write trust_pickle: true if you trust its author"
    return CheckResult.fault(thing, f"{found}: loading it may run code that it brings", remedy)

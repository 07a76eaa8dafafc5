"""Checks whether a model's champion can be watched: that it is there, and can be asked."""

from collections.abc import Iterator
from pathlib import Path

from trimtab.cli.doctor.check_result import CheckResult
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.contracts.signature import ModelInterface
from trimtab.runtime.settings import Settings

_SQLITE = "sqlite:///"


def registry_exists(settings: Settings) -> bool:
    """Whether there is a registry to ask; False for a database that was never made."""
    uri = settings.tracking_uri
    return not uri.startswith(_SQLITE) or Path(uri.removeprefix(_SQLITE)).exists()


def check_champion(spec: ModelSpec, settings: Settings) -> Iterator[CheckResult]:
    """What the registry holds of the model; nothing where there is no registry yet."""
    if not registry_exists(settings):
        return
    from trimtab.adapters.registry.registered_signature import find_interface  # noqa: PLC0415 - three seconds

    thing = f"model {spec.name}"
    try:
        found = find_interface(spec.name, settings=settings)
    except Refused as error:
        yield CheckResult.fault(thing, str(error), "as it says")
        return
    except Unavailable:
        return  # the check of MLflow tells
    if found is None:
        yield CheckResult.note(
            thing, "MLflow has no champion of it yet", f"`trimtab train {spec.name}` makes one"
        )
    elif not found.own:
        yield from _check_foreign(found, spec, thing)


def _check_foreign(found: ModelInterface, spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    version = f"champion version {found.version}"
    known = {feature.name for feature in spec.features} | set(spec.time_features)
    missing = [each.name for each in found.inputs if each.name not in known]
    if spec.prediction:
        yield CheckResult.fine(thing, f"{version}: predictions are read from {spec.prediction}")
    elif missing:
        said = f"{version} wants {', '.join(missing)}"
        yield CheckResult.fault(
            thing, said, "list what it wants under features, or name a prediction column"
        )
    elif found.safe:
        yield CheckResult.fine(thing, f"{version} can be asked without running its own code")
    elif spec.trust_pickle:
        said = f"{version} is kept as {found.kept_as}: it runs its own code when it is asked"
        yield CheckResult.note(thing, said, "trust_pickle: true allows that")
    else:
        said = f"{version} is kept as {found.kept_as}: loading it may run code that it brings"
        remedy = "name a prediction column, or write trust_pickle: true if you trust its maker"
        yield CheckResult.fault(thing, said, remedy)

"""Runs `trimtab doctor`: makes every check and prints the results."""

import os
from collections.abc import Callable, Generator, Iterator, Sequence

import typer
from rich.console import Console

from trimtab.cli.doctor import machine_checks, stack_checks
from trimtab.cli.doctor.check_result import CheckResult, CheckState
from trimtab.cli.doctor.model_checks import check_model
from trimtab.cli.doctor.results_view import format_json, print_results
from trimtab.cli.errors import ExitCode
from trimtab.cli.progress import show_progress_when_slow
from trimtab.contracts.decision import Limits
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import load_limits, model_names, policy_hash
from trimtab.runtime.settings import Settings, find_unknown_variables, load_settings


def run_doctor(*, model: str | None, as_json: bool, verbose: bool) -> ExitCode:
    """Make every check, print the results, and return the exit code."""
    with show_progress_when_slow() as show:
        results = list(check_everything(model, show=show))
    if as_json:
        typer.echo(format_json(results))
    else:
        print_results(results, Console(), verbose=verbose)
    has_fault = any(each.state is CheckState.FAULT for each in results)
    return ExitCode.FAILED if has_fault else ExitCode.OK


def check_everything(
    model: str | None = None, *, show: Callable[[str], None]
) -> Iterator[CheckResult]:
    """Yield the result of every check, of one model or of all.

    Checks that depend on something broken are left out.
    """
    show("reading settings and policy")
    limits = yield from _check_limits()
    settings = yield from _check_settings()
    names = model_names() if model is None else (model,)
    yield from _check_models(names, limits, _drop_without_registry(settings), show=show)
    if settings is not None:
        yield from _check_surroundings(settings, show=show)


def _drop_without_registry(settings: Settings | None) -> Settings | None:
    """Return the settings if the registry answers: one that does not is reported once."""
    if settings is None:
        return None
    silent = any(each.state is CheckState.FAULT for each in stack_checks.check_mlflow(settings))
    return None if silent else settings


def _check_settings() -> Generator[CheckResult, None, Settings | None]:
    try:
        settings = load_settings()
    except BadConfigurationError as error:
        yield from (CheckResult.fault("settings", fault) for fault in error.faults)
        return None
    yield CheckResult.fine("settings", f"complete; home is {settings.home.absolute()}")
    for name in find_unknown_variables(os.environ):
        found = f"{name} is set, but there is no such setting"
        yield CheckResult.note("settings", found, "unset it, or correct it")
    return settings


def _check_limits() -> Generator[CheckResult, None, Limits | None]:
    try:
        limits = load_limits()
    except BadConfigurationError as error:
        yield from (CheckResult.fault("policy", fault) for fault in error.faults)
        return None
    yield CheckResult.fine("policy", f"complete; its hash begins with {policy_hash(limits)[:12]}")
    return limits


def _check_models(
    names: Sequence[str],
    limits: Limits | None,
    settings: Settings | None,
    *,
    show: Callable[[str], None],
) -> Iterator[CheckResult]:
    for name in names:
        show(f"checking model {name}")
        yield from check_model(name, limits, settings)


def _check_surroundings(
    settings: Settings, *, show: Callable[[str], None]
) -> Iterator[CheckResult]:
    for thing, check in (
        ("disk", machine_checks.check_disk),
        ("keys", machine_checks.check_keys),
        ("binaries", machine_checks.check_binaries),
        ("Temporal", stack_checks.check_temporal),
        ("Redis", stack_checks.check_redis),
        ("MLflow", stack_checks.check_mlflow),
        ("Chroma", stack_checks.check_chroma),
        ("analyst", stack_checks.check_analyst),
        ("Langfuse", stack_checks.check_langfuse),
    ):
        show(f"checking {thing}")
        yield from check(settings)

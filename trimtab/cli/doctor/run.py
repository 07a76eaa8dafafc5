"""Runs `trimtab doctor`: makes every check and prints the results."""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import typer
from rich.console import Console

from trimtab.cli.console import print_command, print_wrapped
from trimtab.cli.doctor import freeze_checks, machine_checks, stack_checks
from trimtab.cli.doctor.check_result import CheckResult, CheckState
from trimtab.cli.doctor.incident_checks import check_failing_work, check_incidents
from trimtab.cli.doctor.model_checks import check_model
from trimtab.cli.doctor.results_view import format_json, print_results
from trimtab.cli.errors import ExitCode
from trimtab.cli.policy.surroundings import (
    WHERE_PARTS_MATTER,
    find_incomplete_targets,
    find_unknown_models,
)
from trimtab.cli.progress import show_progress_when_slow
from trimtab.contracts.decision import Limits
from trimtab.runtime.backtest_homes import DEMO_MODEL, build_backtest_home
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.model_files import (
    check_duplicate_models,
    list_model_names,
    list_own_model_names,
)
from trimtab.runtime.models import compute_policy_hash, load_limits, load_model_spec
from trimtab.runtime.paths import local_conf
from trimtab.runtime.settings import Settings, find_unknown_variables, load_settings


def run_doctor(*, model: str | None, as_json: bool, verbose: bool) -> ExitCode:
    """Make every check, print the results, and return the exit code.

    Raises `BadConfigurationError` where there is no such model.
    """
    names = _choose_models(model)
    with show_progress_when_slow() as show:
        results = list(check_everything(names, show=show))
    if as_json:
        typer.echo(format_json(results, models=names))
    else:
        print_results(results, Console(), verbose=verbose)
        if not names:
            _print_no_model(Console())
    if any(each.state is CheckState.FAULT for each in results):
        return ExitCode.FAILED
    return ExitCode.OK if names else ExitCode.NOTHING_TO_JUDGE


def check_everything(
    models: Sequence[str], *, show: Callable[[str], None]
) -> Iterator[CheckResult]:
    """Yield the result of every check; checks that depend on something broken are left out."""
    show("reading settings and policy")
    limits = yield from _check_limits()
    settings = yield from _check_settings()
    yield from _check_models(models, limits, _drop_without_registry(settings), show=show)
    if settings is not None:
        yield from _check_surroundings(settings, show=show)


def _choose_models(model: str | None) -> tuple[str, ...]:
    if model is None:
        return list_own_model_names(_find_home())
    if model not in list_model_names():
        load_model_spec(model)  # says which there are
    return (model,)


def _find_home() -> Path:
    try:
        return load_settings().home.absolute()
    except BadConfigurationError:  # which a check reports
        return Path.cwd()


def _print_no_model(console: Console) -> None:
    folder = local_conf() / "models"
    print_wrapped(console, f"This folder has no model of its own: nothing in {folder}")
    console.print("Change to your project's folder, or configure a model here:")
    print_command(
        console, "init", "MODEL", "--data", "FILE", "--target", "COLUMN", "--timestamp", "COLUMN"
    )
    demo = build_backtest_home(_find_home(), DEMO_MODEL)
    if demo.exists():
        console.print("To check the demo's model:")
        print_command(console, "doctor", TRIMTAB_HOME=str(demo))


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
    yield CheckResult.fine(
        "policy", f"complete; its hash begins with {compute_policy_hash(limits)[:12]}"
    )
    yield from (CheckResult.fault("policy", fault) for fault in find_unknown_models(limits))
    for gap in find_incomplete_targets(limits):
        yield CheckResult.note("policy", gap, WHERE_PARTS_MATTER)
    known = [each for each in limits.shadow_models if each in list_model_names()]
    if limits.shadow or known:
        names = "every model" if limits.shadow else ", ".join(known)
        found = f"shadow mode: nothing is executed for {names}"
        yield CheckResult.note("policy", found, "take `shadow` out to let it act")
    return limits


def _check_models(
    names: Sequence[str],
    limits: Limits | None,
    settings: Settings | None,
    *,
    show: Callable[[str], None],
) -> Iterator[CheckResult]:
    for fault in check_duplicate_models():
        yield CheckResult.fault("models", fault)
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
        ("freezes", freeze_checks.check_freeze_of_all),
        ("Chroma", stack_checks.check_chroma),
        ("incidents", check_incidents),
        ("incidents' work", check_failing_work),
        ("analyst", stack_checks.check_analyst),
        ("Langfuse", stack_checks.check_langfuse),
    ):
        show(f"checking {thing}")
        yield from check(settings)

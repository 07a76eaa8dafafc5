"""Runs `trimtab train`: trains and registers a model's first champion."""

from typing import Any

from rich.console import Console

from trimtab.cli.console import print_command, print_wrapped
from trimtab.cli.errors import ExitCode
from trimtab.cli.progress import show_progress_when_slow
from trimtab.cli.registry_access import open_registry
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.pipelines.session import run_pipeline, set_process_environment
from trimtab.runtime.models import load_model_spec
from trimtab.runtime.settings import load_settings


def run_train(name: str) -> ExitCode:
    """Train the model's first champion and print what it is; raise `Refused` where it has one."""
    with show_progress_when_slow() as show:
        spec = load_model_spec(name)
        set_process_environment()  # MLflow reads it when it is imported
        show("asking MLflow")
        _refuse_second_champion(spec)
        show(f"training {name}")
        report = run_pipeline("training", {"model": name})
    _print_champion(spec, report, Console())
    return ExitCode.OK


def _refuse_second_champion(spec: ModelSpec) -> None:
    settings = load_settings()
    champion = open_registry(settings).champion(spec.name)
    if champion is not None:
        msg = (
            f"{spec.name!r} has a champion in {settings.tracking_uri}, version {champion.version}:"
            " remove the alias `champion` there to train a new first one"
        )
        raise Refused(msg)


def _print_champion(spec: ModelSpec, report: dict[str, Any], console: Console) -> None:
    reference = report["reference"]
    days = f"{reference['start'][:10]} to {reference['end'][:10]}"
    metric = f"{report['metric']} {report['value']:.3f}"
    print_wrapped(
        console,
        f"Champion of {spec.name}: version {report['version']}, {metric}"
        f" on {report['holdout_rows']:,} held-out rows of {report['rows']:,}.",
    )
    print_wrapped(
        console,
        f"Trained on {days}, the reference for later windows (set by `start` and"
        " `reference_windows`).",
    )
    console.print("Next:")
    for command in ("monitor", "schedule"):
        print_command(console, command, spec.name)

"""`trimtab train`: the first champion of a model that MLflow does not hold yet."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:  # importing the registry takes seconds, and `trimtab --help` needs none of it
    from rich.console import Console

    from trimtab.contracts.model import ModelSpec


def train(name: Annotated[str, typer.Argument(help="A configured model.")]) -> None:
    """Train a model's first champion on its first windows, and register it in MLflow.

    It is what later windows are compared with and held to. A model that has a champion keeps it:
    from then on only incidents replace it.
    """
    from rich.console import Console  # noqa: PLC0415 - see above

    from trimtab.cli.app import faults_told  # noqa: PLC0415 - cli.app imports this module
    from trimtab.cli.progress import told_when_slow  # noqa: PLC0415 - as above
    from trimtab.pipelines.session import run_pipeline, set_process_environment  # noqa: PLC0415 - as above
    from trimtab.runtime.models import load_model_spec  # noqa: PLC0415 - as above

    with faults_told(), told_when_slow(Console(stderr=True)) as say:
        spec = load_model_spec(name)
        set_process_environment()
        say("asking MLflow")
        _refuse_a_second(spec)
        say(f"training {name}")
        report = run_pipeline("training", {"model": name})
    _tell(spec, report, Console())


def _refuse_a_second(spec: "ModelSpec") -> None:
    from trimtab.adapters.registry.model_registry import MlflowRegistry  # noqa: PLC0415 - see above
    from trimtab.contracts.ports import Refused  # noqa: PLC0415 - see above
    from trimtab.runtime.settings import load_settings  # noqa: PLC0415 - see above

    settings = load_settings()
    champion = MlflowRegistry(settings=settings).champion(spec.name)
    if champion is not None:
        msg = (
            f"{spec.name!r} has a champion in {settings.tracking_uri}, version {champion.version}:"
            " remove the alias `champion` there to begin anew"
        )
        raise Refused(msg)


def _tell(spec: "ModelSpec", report: dict[str, Any], console: "Console") -> None:
    learnt = report["reference"]
    days = f"{learnt['start'][:10]} to {learnt['end'][:10]}"
    good = f"{report['metric']} {report['value']:.3f} on {report['holdout_rows']:,} held-out rows"
    where = "`start` and `reference_windows` in its configuration"
    for line in (
        f"Champion of {spec.name}: version {report['version']}, {good} of {report['rows']:,}.",
        f"It learnt from {days}, with which later windows are compared: {where} say when.",
        f"Next: trimtab monitor {spec.name}, and trimtab schedule {spec.name}",
    ):
        console.print(line, highlight=False, soft_wrap=True)

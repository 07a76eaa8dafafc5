"""`trimtab evals`: labelled incidents, and how well an analyst judges them."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow
from trimtab.cli.typer_app import TrimtabTyper

app = TrimtabTyper(
    name="evals",
    no_args_is_help=True,
    help="Play labelled incidents, and score causes, actions and confidence.",
)


@app.callback()
def group_commands() -> None:
    """Play labelled incidents, and score causes, actions and confidence."""


@app.command("run")
def run_evaluation(
    *,
    suite: Annotated[
        str, typer.Option(help="`builtin`, or a file or folder as evals/README.md describes.")
    ] = "builtin",
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="Who investigates: analyst/rules.")
    ] = "analyst/rules",
    seeds: Annotated[str, typer.Option(help="Seeds, such as 0-4 or 0,3.")] = "0",
    split: Annotated[
        str, typer.Option(help="training: seeds to tune on; held-out: others, to judge by.")
    ] = "training",
    kinds: Annotated[
        list[str] | None, typer.Option("--kinds", help="Only these kinds; may be repeated.")
    ] = None,
    tables: Annotated[
        list[str] | None, typer.Option("--tables", help="Only these tables; may be repeated.")
    ] = None,
    every_strength: Annotated[
        bool, typer.Option("--every-strength", help="All three strengths, not one in turn.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    output: Annotated[
        Path, typer.Option(file_okay=False, help="Folder of the played incidents and the page.")
    ] = Path(".trimtab/evals"),
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the summary under evals/results/, too.")
    ] = False,
) -> int:
    """Play a suite of labelled incidents through the true code in one process, and score it.

    Incidents that were finished with the same code are not played again, so a run that was stopped
    goes on. Writes incidents.jsonl, summary.json and page.html.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.evals.run import EvaluationOptions, run_evals

    return run_evals(
        EvaluationOptions(
            suite,
            model,
            seeds,
            split,
            kinds or [],
            tables or [],
            every_strength,
            jobs,
            output,
            keep,
        )
    )


@app.command("calibrate")
def fit_confidence(
    *,
    played: Annotated[
        Path, typer.Option("--from", help="Folder that `evals run` wrote, of the training split.")
    ] = Path(".trimtab/evals"),
    output: Annotated[
        Path, typer.Option(dir_okay=False, help="File that the policy names.")
    ] = Path("conf/local/calibration.yml"),
) -> int:
    """Fit the confidence on labelled incidents: the probability that cause and action are right.

    Incidents of the held-out split are refused. The figures that it prints are cross-validated.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.evals.calibrate import run_calibration

    return run_calibration(played, output)

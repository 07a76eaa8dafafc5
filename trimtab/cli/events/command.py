"""`trimtab events`: import reports of other detectors, and republish what could not be read."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.events.report_format import LEVELS, TOOLS, ReportFormat, SeverityOption
from trimtab.cli.progress import show_progress_when_slow
from trimtab.cli.typer_app import TrimtabTyper

app = TrimtabTyper(
    help="Drift events: import another detector's report, or publish a failed event again.",
    no_args_is_help=True,
)


WindowOption = Annotated[
    str | None,
    typer.Option(help="START/END of the checked window, ISO 8601, if the report does not say."),
]


@app.command("import")
def import_report(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The report.", dir_okay=False)],
    source: Annotated[
        ReportFormat,
        typer.Option("--from", metavar="TOOL", help=f"The software that wrote it: {TOOLS}."),
    ],
    model: Annotated[
        str | None,
        typer.Option(help="The configured model that it is about. CloudEvents name theirs."),
    ] = None,
    window: WindowOption = None,
    reference: Annotated[
        str | None, typer.Option(help="START/END of the reference, if the report does not say.")
    ] = None,
    severity: Annotated[
        SeverityOption,
        typer.Option(
            metavar="LEVEL",
            help=f"How severe the drift is: {LEVELS}. Reports of other tools do not say.",
        ),
    ] = SeverityOption.MEDIUM,
    publish: Annotated[
        bool, typer.Option("--publish/--dry-run", help="Publish to the stream, or only show.")
    ] = True,
) -> int:
    """Read a report of Evidently, NannyML, or in CloudEvents, and publish the drift in it.

    The same report twice opens one incident only.

    Exit code 0: read, and published if something drifted; 1: the stream did not accept it; 2: the
    file is not a valid report.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.events.report_import import ImportOptions, run_import

    return run_import(
        ImportOptions(
            file=file,
            source=source,
            model=model,
            window=window,
            reference=reference,
            severity=severity.value,
            publish=publish,
        )
    )


@app.command("dead")
def show_dead_letters(
    *,
    most: Annotated[int, typer.Option(help="How many to show, the newest.", min=1)] = 20,
) -> int:
    """Show the events that the bridge could not use, and why."""
    from trimtab.cli.events.dead_letters import run_dead

    return run_dead(most=most)


@app.command("retry")
def retry_dead_letters(
    *,
    letters: Annotated[
        list[str] | None, typer.Argument(metavar="ID…", help="Ids, as `events dead` shows them.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Publish all of them.")] = False,
) -> int:
    """Publish dead events again, and remove their dead letters.

    An event that has an incident already opens no second one. One that is still wrong comes back.
    """
    from trimtab.cli.events.dead_letters import run_retry

    return run_retry(letters or [], everything=everything)

"""`trimtab compare`: two tables side by side, without configuration, server or model."""

from pathlib import Path
from typing import Annotated

import typer

ReferenceArgument = Annotated[
    str,
    typer.Argument(
        metavar="REFERENCE",
        help="The table as it should be. Parquet, CSV or gzipped CSV: a file, a folder of them, or"
        " a quoted pattern such as 'day=*/*.parquet'. Or a table of a database that Ibis knows:"
        " postgres://user@host/database?table=schema.name, duckdb://file.db?table=name, …",
        show_default=False,
    ),
]
CurrentArgument = Annotated[
    str,
    typer.Argument(metavar="CURRENT", help="The table that may have drifted.", show_default=False),
]
TimestampOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Column with the time of each row. It is not compared, but too few rows for their"
        " time, rows without a time, and data that is not newer than the reference are"
        " reported.",
    ),
]
IgnoreOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN,…",
        help="Columns that are not compared, separated by commas. Quote a name that holds a comma.",
    ),
]
TargetOption = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Column with what a model predicts.")
]
MinPsiOption = Annotated[
    str | None,
    typer.Option(
        metavar="PSI",
        help="Smallest population stability index that counts as drift; 0.1 by default.",
        show_default=False,
    ),
]
AlphaOption = Annotated[
    str | None,
    typer.Option(
        metavar="P",
        help="Largest p-value, adjusted for the number of columns, that counts as drift; 0.01 by"
        " default.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        dir_okay=False,
        allow_dash=True,
        help="Write the whole result as JSON, in the form of docs/compare.schema.json. With -,"
        " it goes to standard output, and the text for people to standard error.",
    ),
]
HtmlOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", dir_okay=False, help="Write a page with plots of both distributions."
    ),
]


def compare(
    reference: ReferenceArgument,
    current: CurrentArgument,
    timestamp: TimestampOption = None,
    ignore: IgnoreOption = None,
    target: TargetOption = None,
    min_psi: MinPsiOption = None,
    alpha: AlphaOption = None,
    json: JsonOption = None,
    html: HtmlOption = None,
) -> int:
    """Compare two tables: say whether the current one drifted, which columns, how far, and why.

    Needs no configuration, no server and no model, and changes nothing. A column counts as drifted
    if both its effect size (PSI) and a test, adjusted for the number of columns, say so.

    Exit code 0: no drift; 1: drift or grave data faults; 2: bad input; 3: not enough data.
    """
    from trimtab.cli.compare.run import CompareOptions, run_compare

    return run_compare(
        CompareOptions(
            reference=reference,
            current=current,
            timestamp=timestamp,
            ignore=ignore,
            target=target,
            min_psi=min_psi,
            alpha=alpha,
            json=json,
            html=html,
        )
    )

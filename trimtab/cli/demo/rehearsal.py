"""Shows in the demo what a person is asked, if the history itself gave no occasion.

The first week that was settled without a person is replayed once more, from the same champion, in
a stack of its own, under a policy that asks. Nothing of it goes into the report.
"""

import shutil
from pathlib import Path
from typing import Final

from rich.rule import Rule

from trimtab.cli.backtest.asking_limit import compute_asking_limit, find_unasked_incident
from trimtab.cli.backtest.backtest_stack import BacktestStack
from trimtab.cli.backtest.replay import Replay, ReplayWindow
from trimtab.cli.backtest.run import FinishedBacktest
from trimtab.cli.console import print_unbroken
from trimtab.files.yaml_text import format_yaml
from trimtab.runtime.backtest_homes import build_rehearsal_home
from trimtab.runtime.configuration import read_mapping
from trimtab.runtime.paths import local_conf

_NO_TRACING: Final = dict.fromkeys(
    ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "TRIMTAB_TELEMETRY__OTLP_ENDPOINT"), "null"
)
"""Its incident has the id of the one that it repeats: its traces would be mixed with that one's."""


async def rehearse_question(finished: FinishedBacktest) -> None:
    """Replay an incident's window under a policy that asks, unless a person was asked already."""
    incident = find_unasked_incident(finished.report.incidents)
    if incident is None:
        return
    display, window = finished.display, incident.window
    limit = compute_asking_limit(incident)
    settings = finished.settings
    home = build_rehearsal_home(settings.home)
    folder = _write_policy(home, limit)
    console = display.console
    console.print()
    console.print(Rule("What it is like to be asked", align="left"))
    console.print(
        f"Your policy asked no one. Here is the week of {window.start:%Y-%m-%d} once more, under a"
        f" policy that wants more confidence (confidence_above: {limit:.2f})."
    )
    display.expect(None)
    own = settings.model_copy(update={"home": home})
    async with BacktestStack(
        own, progress=display.show, folder=folder, environment=_NO_TRACING
    ) as stack:
        replay = Replay(stack, finished.spec, finished.respondent, display=display)
        await replay.train()
        replayed = await replay.replay(
            ReplayWindow(start=window.start, end=window.end, rows=window.rows)
        )
        display.show("stopping the stack of the rehearsal")
    ending = replayed.report.ending.value if replayed.report else "no incident"
    console.print(f"It ended as [bold]{ending}[/]. Everything is kept in")
    print_unbroken(console, f"  {home}")


def _write_policy(home: Path, limit: float) -> Path:
    """Return a working directory for the bridge, with the policy in force but this confidence."""
    shutil.rmtree(home, ignore_errors=True)
    local = local_conf() / "policy.yml"
    policy = {**(read_mapping(local) if local.exists() else {}), "confidence_above": limit}
    file = home / "asking" / "conf" / "local" / "policy.yml"
    file.parent.mkdir(parents=True)
    file.write_text(format_yaml(policy), encoding="utf-8")
    return home / "asking"

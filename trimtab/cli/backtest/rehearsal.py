"""Shows in the demo what a person is asked, where the history itself gave no occasion.

The first week that was settled without anybody is replayed once more, from the same champion, in a
stack of its own, under a policy that asks. Nothing of it goes into the report.
"""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import yaml
from rich.rule import Rule

from trimtab.cli.backtest.backtest_stack import Stage
from trimtab.cli.backtest.narrator import Narrator
from trimtab.cli.backtest.replay import Replay, Span
from trimtab.cli.backtest.respondent import Respondent
from trimtab.contracts.decision import Verdict
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.report import IncidentSummary
from trimtab.runtime.configuration import read_mapping
from trimtab.runtime.paths import local_conf
from trimtab.runtime.settings import Settings

_UNTRACED: Final = dict.fromkeys(
    ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "TRIMTAB_TELEMETRY__OTLP_ENDPOINT"), "null"
)
"""Its incident has the id of the one that it repeats: traces would be taken for that one's."""


def unasked(incidents: Sequence[IncidentSummary]) -> IncidentSummary | None:
    """The first incident that was executed, where no incident asked anybody; else None."""
    if any(incident.verdict is Verdict.ESCALATE for incident in incidents):
        return None
    executed = (one for one in incidents if one.verdict is Verdict.EXECUTE and one.confidence)
    return next(executed, None)


def limit_that_asks(incident: IncidentSummary) -> float:
    """The least `confidence_above`, in hundredths, under which its plan would be a question."""
    return math.ceil((incident.confidence or 0.0) * 100) / 100


async def rehearse(
    incident: IncidentSummary,
    settings: Settings,
    spec: ModelSpec,
    respondent: Respondent,
    *,
    narrator: Narrator,
) -> None:
    """Replay the incident's window under a policy that asks; `settings` are the backtest's."""
    limit = limit_that_asks(incident)
    home = settings.home.with_name(f"{settings.home.name}-asked")
    folder = _policy_folder(home, limit)
    window = incident.window
    narrator.console.print()
    narrator.console.print(Rule("What it is like to be asked", align="left"))
    narrator.console.print(
        f"Under your policy nobody had to be asked. So here is the week of {window.start:%Y-%m-%d}"
        f" once more, under one that wants more confidence (confidence_above: {limit:.2f})."
    )
    own = settings.model_copy(update={"home": home})
    async with Stage(own, progress=narrator.say, folder=folder, environment=_UNTRACED) as stage:
        replay = Replay(stage, spec, respondent, narrator=narrator)
        await replay.train()
        replayed = await replay.replay(Span(start=window.start, end=window.end, rows=window.rows))
    ending = replayed.report.ending.value if replayed.report else "no incident"
    narrator.console.print(f"It ended as [bold]{ending}[/]. Everything is kept in {home}.")


def _policy_folder(home: Path, limit: float) -> Path:
    """A working directory for the bridge, with the policy in force but for the confidence."""
    shutil.rmtree(home, ignore_errors=True)
    mine = local_conf() / "policy.yml"
    policy = {**(read_mapping(mine) if mine.exists() else {}), "confidence_above": limit}
    file = home / "asking" / "conf" / "local" / "policy.yml"
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump(policy), encoding="utf-8")
    return home / "asking"

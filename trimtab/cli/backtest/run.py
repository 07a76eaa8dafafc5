"""`trimtab backtest` and `trimtab demo`: replay a model's history through the whole of Trimtab."""

import asyncio
import os
import shlex
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from trimtab.charts.text import join_names
from trimtab.cli.backtest.backtest_options import Wanted
from trimtab.cli.backtest.backtest_stack import Stage
from trimtab.cli.backtest.isolation import forget_production, isolated
from trimtab.cli.backtest.narrator import Narrator
from trimtab.cli.backtest.preflight import check_before_start
from trimtab.cli.backtest.rehearsal import rehearse, unasked
from trimtab.cli.backtest.replay import Replay, Replayed
from trimtab.cli.backtest.report import print_report, write_report
from trimtab.cli.backtest.respondent import Nobody, Respondent, Scripted, Terminal
from trimtab.cli.backtest.summary import summarise
from trimtab.cli.signals import until_told
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.report import RunReport
from trimtab.runtime.models import load_model_spec
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.settings_sections import BacktestSettings
from trimtab.runtime.stack_addresses import StackAddresses, find_running_stack

NOBODY_WAITS: Final = timedelta(seconds=5)
"""How long a question stays open in a backtest in which nobody can answer."""
SEED: Final = 0
"""Of every random choice in training."""


def run_backtest(model: str, wanted: Wanted, *, console: Console) -> RunReport:
    """Replay a model's history, print what Trimtab would have done, and write the report.

    Raises `BadConfigurationError`, `StackError`, `StageFailed` or `ReplayFailed`, each of which
    says what to do about it.
    """
    spec = load_model_spec(model)
    respondent = _respondent(yes=wanted.yes, console=console)
    answered = not isinstance(respondent, Nobody)
    settings = _settings_for(spec, answered=answered, analyst=wanted.analyst)
    forget_production(os.environ)
    with console.status("looking at configuration and data"):
        check_before_start(model, home=settings.home.parent, report=wanted.report)
    _start_clean(settings.home)
    return asyncio.run(until_told(_backtest(settings, spec, respondent, wanted, console)))


async def _backtest(
    settings: Settings,
    spec: ModelSpec,
    respondent: Respondent,
    wanted: Wanted,
    console: Console,
) -> RunReport:
    started_at = datetime.now(UTC)
    with Narrator(console) as narrator:
        async with Stage(settings, progress=narrator.say) as stage:
            console.print(_where(stage.addresses))
            replayed = await _replay(Replay(stage, spec, respondent, narrator=narrator), narrator)
            narrator.say("verifying the audit chain")
            result = summarise(
                spec,
                replayed,
                stage.verify_audit(),
                analyst=settings.analyst.model,
                seed=SEED,
                started_at=started_at,
                finished_at=datetime.now(UTC),
                servers=await stage.server_versions(),
            )
            with narrator.paused():
                _present(result, console, wanted.report)
                _tell_where(settings.home, result, console)
            if wanted.rehearsal and (incident := unasked(result.incidents)):
                await rehearse(incident, settings, spec, respondent, narrator=narrator)
            if wanted.keep:
                with narrator.paused():
                    console.print(_where(stage.addresses))
                    console.print("The stack stays up for browsing; Ctrl-C ends it.")
                    await _until_ended(stage)
    return result


async def _until_ended(stage: Stage) -> None:
    """To be ended is how browsing is meant to end."""
    try:
        await stage.stay()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()


async def _replay(replay: Replay, narrator: Narrator) -> list[Replayed]:
    outputs = await replay.train()
    narrator.console.print(
        f"Champion: version {outputs['version']}, {outputs['metric']} {outputs['value']:.3f} "
        f"on {outputs['holdout_rows']:,} held-out rows of {outputs['rows']:,}."
    )
    windows = await replay.windows()
    narrator.expect(len(windows))
    replayed = []
    for window in windows:
        replayed.append(await replay.replay(window))
        narrator.console.print(_line(replayed[-1]))
        narrator.advance()
    return replayed


def _line(replayed: Replayed) -> str:
    window, report = replayed.window, replayed.report
    name = f"{window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}, {window.rows:,} rows"
    if report is None:
        moved = [f"{each.name} ({each.effect} {each.size:.2f})" for each in window.drifted]
        return f"{name}: {escape(window.note)}{escape(f': {join_names(moved)}') if moved else ''}"
    if report.decision is None:
        return f"{name}: {report.ending}"
    decision = report.decision
    return f"{name}: drift → [bold]{decision.verdict}[/] ({decision.rule}) → {report.ending}"


def _present(result: RunReport, console: Console, report: Path | None) -> None:
    console.print()
    print_report(result, console)
    if report is not None:
        write_report(result, report)
        console.print(f"Report: {report}", soft_wrap=True, markup=False)


def _tell_where(home: Path, result: RunReport, console: Console) -> None:
    """The commands that look at what was kept."""
    at = f"--home {shlex.quote(str(home))}"
    console.print(f"Audit log: trimtab audit verify {at}", soft_wrap=True, highlight=False)
    if result.incidents:
        show = f"trimtab audit show {shlex.quote(result.incidents[-1].event_id)} {at}"
        console.print(f"One incident: {show}", soft_wrap=True, highlight=False, markup=False)


def _where(addresses: StackAddresses) -> Panel:
    return Panel.fit(
        f"Temporal Web UI   {addresses.ui}\n"
        f"Temporal          {addresses.temporal}\n"
        f"Event stream      {addresses.redis}\n"
        f"MLflow            {addresses.tracking}\n"
        f"Logs              {addresses.home / 'logs'}",
        title="The stack is up",
        title_align="left",
    )


def _settings_for(spec: ModelSpec, *, answered: bool, analyst: str | None) -> Settings:
    """The user's settings, but in a home of the backtest's own, with the past as now."""
    settings = load_settings(**({"analyst": {"model": analyst}} if analyst else {}))
    home = settings.home.absolute()
    slug = "".join(letter if letter.isalnum() else "-" for letter in spec.name)
    timeout = None if answered else NOBODY_WAITS
    replay = BacktestSettings(replay=True, approval_timeout=timeout)
    own = isolated(settings, home=home / "backtest" / slug)
    return own.model_copy(update={"backtest": replay})


def _start_clean(home: Path) -> None:
    """Forget the last replay: a backtest begins with an empty registry and knowledge base."""
    if home.exists() and find_running_stack(home) is None:
        shutil.rmtree(home)


def _respondent(*, yes: bool, console: Console) -> Respondent:
    if yes:
        return Scripted(console)
    if console.is_terminal and sys.stdin.isatty():
        return Terminal(console)
    return Nobody(console)

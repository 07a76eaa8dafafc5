"""`trimtab schedule` against a real Temporal server."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, ScheduleOverlapPolicy
from typer.testing import CliRunner, Result

from tests.builders import a_spec
from tests.waiting import until
from trimtab.adapters.monitoring_schedule import build_monitoring_input
from trimtab.adapters.temporal_schedules import ScheduleClient
from trimtab.cli.app import app
from trimtab.cli.durations import format_duration, parse_duration
from trimtab.contracts.base import EPOCH
from trimtab.contracts.monitoring import MonitoringInput
from trimtab.runtime.errors import BadConfigurationError

PARKING = "birmingham-parking"
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)

Trimtab = Callable[..., Result]


@pytest.fixture
def trimtab(
    temporal_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Trimtab]:
    monkeypatch.setenv("TRIMTAB_TEMPORAL__ADDRESS", temporal_address)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, ["schedule", *words])

    yield call
    call(PARKING, "--remove")


async def are_listed(client: Client) -> int:
    """How many there are: lists follow a moment later."""
    return len([each async for each in await client.list_schedules()])


def test_it_is_made_once_and_the_same_again_changes_nothing(trimtab: Trimtab) -> None:
    first, second = trimtab(PARKING, "--every", "1h"), trimtab(PARKING, "--every", "1h")
    third = trimtab(PARKING, "--every", "2h")

    assert (first.exit_code, second.exit_code, third.exit_code) == (0, 0, 0), first.output
    assert f"{PARKING} created: every 1h" in first.output
    assert "unchanged" in second.output
    assert "updated: every 2h" in third.output


def test_it_says_what_will_happen_and_what_is_missing(trimtab: Trimtab) -> None:
    said = trimtab(PARKING, "--every", "1h").output

    assert "next window is checked at" in said
    assert "announced once in" in said
    assert "No worker is running" in said


def test_a_schedule_that_is_more_frequent_than_the_calibration_gives_a_warning(
    trimtab: Trimtab,
) -> None:
    often, as_configured = trimtab(PARKING, "--every", "1h"), trimtab(PARKING)

    assert "monitored_every: PT1H" in often.output
    assert "monitored_every" not in as_configured.output


def test_it_runs_as_often_as_the_configuration_says() -> None:
    assert build_monitoring_input(a_spec()).every == a_spec().window
    assert build_monitoring_input(a_spec(monitored_every=HOUR)).every == HOUR
    assert build_monitoring_input(a_spec(monitored_every=HOUR), every=DAY).every == DAY


async def test_runs_that_overlap_are_skipped_and_few_are_caught_up_with(
    temporal_client: Client,
) -> None:
    schedules, request = ScheduleClient(temporal_client), an_input(every=HOUR)
    await schedules.create_or_update(request)

    found = await temporal_client.get_schedule_handle("monitoring/parking").describe()
    await schedules.remove("parking")

    policy = found.schedule.policy
    assert policy.overlap is ScheduleOverlapPolicy.SKIP
    assert policy.catchup_window == HOUR
    assert found.schedule.action.id == "monitoring/parking"  # type: ignore[attr-defined]  # it starts a workflow


async def test_it_runs_when_windows_end_and_their_rows_are_there(temporal_client: Client) -> None:
    start = datetime(2026, 11, 3, 6, tzinfo=UTC)  # a Tuesday
    request = build_monitoring_input(a_spec(start=start), lag=timedelta(minutes=10))
    schedules = ScheduleClient(temporal_client)
    await schedules.create_or_update(request)

    found = await temporal_client.get_schedule_handle("monitoring/parking").describe()
    await schedules.remove("parking")

    upcoming = found.info.next_action_times[0]
    assert (upcoming - start) % WEEK == timedelta(minutes=10)
    assert request.window_end(upcoming) == upcoming - timedelta(minutes=10)


async def test_a_paused_one_stays_paused_when_it_is_changed(temporal_client: Client) -> None:
    schedules = ScheduleClient(temporal_client)
    await schedules.create_or_update(an_input(every=HOUR))
    await schedules.pause("parking", note="holidays")
    await schedules.create_or_update(an_input(every=DAY))

    found = await temporal_client.get_schedule_handle("monitoring/parking").describe()
    await schedules.remove("parking")

    assert found.schedule.state.paused
    assert found.schedule.spec.intervals[0].every == DAY


def test_it_is_paused_resumed_and_removed(trimtab: Trimtab) -> None:
    trimtab(PARKING, "--every", "1h")

    assert "paused" in trimtab(PARKING, "--pause").output
    assert "is paused" in trimtab(PARKING, "--every", "1h").output
    assert "resumed" in trimtab(PARKING, "--resume").output
    assert "removed" in trimtab(PARKING, "--remove").output
    gone = trimtab(PARKING, "--pause")
    assert gone.exit_code == 2


async def test_the_list_shows_each_schedule_and_its_problem(
    trimtab: Trimtab, temporal_client: Client
) -> None:
    empty = await asyncio.to_thread(trimtab)
    await asyncio.to_thread(trimtab, PARKING, "--every", "1h")
    await ScheduleClient(temporal_client).create_or_update(an_input(every=DAY))

    async def both() -> bool:
        return await are_listed(temporal_client) > 1

    await until(both, seconds=20)

    listed = await asyncio.to_thread(trimtab)
    await ScheduleClient(temporal_client).remove("parking")

    assert "trimtab schedule MODEL --every 1h" in empty.output
    assert PARKING in listed.output
    assert "not configured" in listed.output


def test_a_model_that_is_not_configured_gets_none(trimtab: Trimtab) -> None:
    asked = trimtab("no-such-model", "--every", "1h")

    assert asked.exit_code == 2


@pytest.mark.parametrize(
    "words",
    [("--pause",), ("--every", "1h"), (PARKING, "--pause", "--resume"), (PARKING, "--every", "1s")],
)
def test_what_makes_no_sense_is_refused(trimtab: Trimtab, words: tuple[str, ...]) -> None:
    assert trimtab(*words).exit_code == 2


def test_a_server_that_does_not_answer_is_named(
    trimtab: Trimtab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_TEMPORAL__ADDRESS", "127.0.0.1:1")

    assert trimtab(PARKING, "--every", "1h").exit_code == 1


@pytest.mark.parametrize(
    ("text", "span"),
    [("1h", HOUR), ("1h30m", 1.5 * HOUR), ("7d", WEEK), ("1w", WEEK), ("PT1H", HOUR)],
)
def test_durations_are_read_as_people_write_them(text: str, span: timedelta) -> None:
    assert parse_duration(text, "--every") == span


@pytest.mark.parametrize("text", ["", "h", "1x", "1", "-1h", "1h 5"])
def test_an_invalid_duration_is_an_error(text: str) -> None:
    with pytest.raises(BadConfigurationError, match="--every"):
        parse_duration(text, "--every")


def test_a_duration_is_formatted_as_it_is_typed() -> None:
    assert [format_duration(span) for span in (HOUR, 1.5 * HOUR, WEEK)] == ["1h", "1h30m", "7d"]


def test_windows_of_a_model_without_a_start_end_at_midnight() -> None:
    assert build_monitoring_input(a_spec()).anchor == EPOCH


def an_input(*, every: timedelta) -> MonitoringInput:
    return build_monitoring_input(a_spec(), every=every)

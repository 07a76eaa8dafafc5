import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SETUP = """
import logging, logging.config, warnings
import structlog
from trimtab.runtime.correlation import bind_correlation_id
from trimtab.runtime.logging import configure_logging
from trimtab.runtime.settings import load_settings

configure_logging(load_settings())
log = structlog.get_logger("trimtab.test")
"""


def lines(code: str, **environment: str) -> list[dict[str, Any]]:
    """What a process of its own writes to stderr; every line must be JSON."""
    done = subprocess.run(
        [sys.executable, "-c", SETUP + code],
        check=True, capture_output=True, text=True, timeout=120,
        env={"PATH": "", "HOME": str(Path.home()), **environment},
    )  # fmt: skip
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_every_line_is_one_json_object() -> None:
    ours, theirs = lines(
        "log.info('incident_opened', model='parking')\n"
        "logging.getLogger('library').warning('took %d s', 7)\n"
    )

    assert ours["event"] == "incident_opened"
    assert (ours["model"], ours["level"], ours["logger"]) == ("parking", "info", "trimtab.test")
    assert theirs["event"] == "took 7 s"
    assert (theirs["level"], theirs["logger"]) == ("warning", "library")
    assert ours["timestamp"].endswith("Z")


def test_the_correlation_id_is_on_every_line_inside() -> None:
    logged = lines(
        "with bind_correlation_id('event-7'):\n"
        "    log.info('a')\n"
        "    logging.getLogger('library').warning('b')\n"
        "log.info('c')\n"
    )

    assert [line.get("correlation_id") for line in logged] == ["event-7", "event-7", None]


def test_an_exception_is_part_of_its_line() -> None:
    for logged in lines(
        "try: 1 / 0\n"
        "except ZeroDivisionError:\n"
        "    log.exception('failed')\n"
        "    logging.getLogger('library').exception('failed')\n"
    ):
        assert "ZeroDivisionError: division by zero" in logged["exception"]


@pytest.mark.parametrize(
    "theft",
    [
        "logging.root.handlers = [logging.NullHandler()]",
        "logging.config.dictConfig({'version': 1, 'root': {'handlers': []}})",
        "logging.basicConfig(force=True, format='%(message)s')",
        "import kedro.framework.project",
    ],
)
def test_a_library_that_takes_the_root_handlers_cannot_silence_or_garble_us(theft: str) -> None:
    logged = lines(
        f"{theft}\nlog.info('ours')\nlogging.getLogger('library').warning('theirs')\n",
        DO_NOT_TRACK="1",
    )

    assert [line["event"] for line in logged][-2:] == ["ours", "theirs"]


def test_mlflow_logs_as_everybody_does() -> None:
    code = "import mlflow\nlogging.getLogger('mlflow.tracking').warning('moved')\n"

    assert lines(code)[-1]["event"] == "moved"


def test_less_than_the_level_is_not_written() -> None:
    code = "log.info('quiet')\nlogging.getLogger('library').info('quiet')\nlog.error('loud')\n"

    [line] = lines(code, TRIMTAB_TELEMETRY__LOG_LEVEL="WARNING")

    assert line["event"] == "loud"


def test_warnings_are_lines_too() -> None:
    [line] = lines("warnings.warn('careful')")

    assert "careful" in line["event"]


def test_values_that_json_does_not_know_are_written_as_text() -> None:
    [line] = lines("from datetime import timedelta\nlog.info('done', took=timedelta(seconds=3))")

    assert line["took"] == "0:00:03"


def test_logging_set_up_twice_writes_once() -> None:
    code = "configure_logging(load_settings())\nlog.info('a')\nlogging.getLogger('b').error('b')"

    assert [line["event"] for line in lines(code)] == ["a", "b"]


def test_the_fields_of_a_workflow_s_line_are_kept_and_those_of_a_library_are_not() -> None:
    (line,) = lines(
        "fields = {'incident': 'event-7', 'ending': 'expired', 'password': 'open sesame'}\n"
        "logging.getLogger('temporalio.workflow').warning('incident_closed', extra=fields)\n"
    )

    assert (line["event"], line["incident"], line["ending"]) == (
        "incident_closed",
        "event-7",
        "expired",
    )
    assert "password" not in line

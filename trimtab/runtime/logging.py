"""Writes every log line of a process as one JSON object, with the incident's correlation id.

Our own lines never pass through the standard library's handlers, so a library that replaces those
cannot silence us; our next line puts the handlers back.
"""

import logging
import os
import sys
from typing import Final, TextIO

import structlog
import temporalio.activity
import temporalio.workflow
from structlog.types import EventDict, Processor, WrappedLogger

from trimtab.contracts.redaction import redact_passwords
from trimtab.runtime.settings import Settings

_FIRST_FIELDS: Final = ("timestamp", "level", "event", "correlation_id")
_LIBRARY_LEVELS: Final = {"httpx": "WARNING", "opentelemetry": "WARNING", "google_adk": "WARNING"}
"""Libraries whose lower levels would fill the log with lines about no incident."""

_WORKFLOW_FIELDS: Final = (
    "ending", "failure", "incident", "kind", "model", "reason", "target", "verdict"
)  # fmt: skip
"""Fields of the lines of workflows, which log with the standard library: those of other libraries
may hold anything."""


class LineWriter(structlog.WriteLogger):
    """Writes a line at once, and knows the name of its logger."""

    def __init__(self, file: TextIO, name: str) -> None:
        super().__init__(file)
        self.name = name


class _RootHandler:
    """Keeps our handler the only one of the standard library's root logger."""

    def __init__(self, file: TextIO, level: str) -> None:
        self._handler = logging.StreamHandler(file)
        self._handler.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[
                    structlog.contextvars.merge_contextvars,
                    structlog.stdlib.add_logger_name,
                    structlog.stdlib.add_log_level,
                    structlog.stdlib.PositionalArgumentsFormatter(),
                    structlog.stdlib.ExtraAdder(allow=_WORKFLOW_FIELDS),
                ],
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *_build_renderers(),
                ],
            )
        )
        self._level = level

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Reinstall the handler if it was replaced; a structlog processor that changes no event."""
        if logging.root.handlers != [self._handler]:
            self.install()
        return event

    def install(self) -> None:
        """Route all that the standard library logs through our one handler."""
        logging.root.handlers = [self._handler]
        logging.root.setLevel(self._level)
        for logger in list(logging.root.manager.loggerDict.values()):
            if isinstance(logger, logging.Logger) and logger.handlers:
                logger.handlers = []
                logger.propagate = True
        for name, level in _LIBRARY_LEVELS.items():
            logging.getLogger(name).setLevel(level)
        logging.captureWarnings(capture=True)


def configure_logging(settings: Settings, *, file: TextIO | None = None) -> None:
    """Write every log line of this process, as JSON, to file or stderr; may be called again."""
    # MLflow would give its logger a handler of its own with the first import.
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")
    out, level = file or sys.stderr, settings.telemetry.log_level
    root_handler = _RootHandler(out, level)
    root_handler.install()
    structlog.configure(
        processors=[
            root_handler,
            structlog.contextvars.merge_contextvars,
            _add_logger_name,
            structlog.processors.add_log_level,
            *_build_renderers(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *names: LineWriter(out, str(names[0]) if names else "trimtab"),
        cache_logger_on_first_use=False,
    )
    # The event stays constant: workflow and activity stand in no message and no extra field.
    temporalio.workflow.logger.workflow_info_on_message = False
    temporalio.workflow.logger.workflow_info_on_extra = False
    temporalio.activity.logger.activity_info_on_message = False
    temporalio.activity.logger.activity_info_on_extra = False


def _build_renderers() -> list[Processor]:
    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_fields,
        _order_fields,
        structlog.processors.JSONRenderer(
            default=lambda value: redact_passwords(str(value)), ensure_ascii=False
        ),
    ]


def _add_logger_name(logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event.setdefault("logger", getattr(logger, "name", "trimtab"))
    return event


def _redact_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: _redact(value) for name, value in event.items()}


def _redact(value: object) -> object:
    if isinstance(value, str):
        return redact_passwords(value)
    if isinstance(value, dict):
        return {name: _redact(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redact(each) for each in value]
    return value


def _order_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    first = {name: event.pop(name) for name in _FIRST_FIELDS if name in event}
    return {**first, **event}

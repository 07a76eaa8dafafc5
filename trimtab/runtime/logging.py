"""One JSON object a line on stderr, whoever logs, with the correlation id of the incident.

Our own lines never pass through the standard library's handlers, so that a library which replaces
those cannot silence us; the handlers are put back with our next line.
"""

import logging
import os
import sys
from typing import Any, Final, TextIO

import structlog
import temporalio.activity
import temporalio.workflow
from structlog.types import EventDict, Processor, WrappedLogger

from trimtab.runtime.settings import Settings

_LEADING: Final = ("timestamp", "level", "event", "correlation_id")
_QUIETER: Final = {"httpx": "WARNING", "opentelemetry": "WARNING", "google_adk": "WARNING"}
"""Libraries that would fill the log with lines that say nothing of an incident."""


class LineWriter(structlog.WriteLogger):
    """Writes a line at once; knows the name of the logger it serves."""

    def __init__(self, file: TextIO, name: str) -> None:
        super().__init__(file)
        self.name = name


class _Routing:
    """Keeps the standard library's root logger on our handler."""

    def __init__(self, file: TextIO, level: str) -> None:
        self._handler = logging.StreamHandler(file)
        self._handler.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[
                    structlog.contextvars.merge_contextvars,
                    structlog.stdlib.add_logger_name,
                    structlog.stdlib.add_log_level,
                    structlog.stdlib.PositionalArgumentsFormatter(),
                ],
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *_rendering(),
                ],
            )
        )
        self._level = level

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """A structlog processor: changes nothing of the event."""
        if logging.root.handlers != [self._handler]:
            self.install()
        return event

    def install(self) -> None:
        """Everything logged by the standard library goes through our one handler."""
        logging.root.handlers = [self._handler]
        logging.root.setLevel(self._level)
        for logger in list(logging.root.manager.loggerDict.values()):
            if isinstance(logger, logging.Logger) and logger.handlers:
                logger.handlers = []
                logger.propagate = True
        for name, level in _QUIETER.items():
            logging.getLogger(name).setLevel(level)
        logging.captureWarnings(capture=True)


def configure_logging(settings: Settings, *, file: TextIO | None = None) -> None:
    """Send every line of this process, as JSON, to file or stderr. May be called again."""
    # MLflow would give its logger a handler of its own with the first import.
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")
    out, level = file or sys.stderr, settings.telemetry.log_level
    routing = _Routing(out, level)
    routing.install()
    structlog.configure(
        processors=[
            routing,
            structlog.contextvars.merge_contextvars,
            _add_logger_name,
            structlog.processors.add_log_level,
            *_rendering(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *names: LineWriter(out, str(names[0]) if names else "trimtab"),
        cache_logger_on_first_use=False,
    )
    # Where and which run stands in fields of its own; the event stays constant.
    temporalio.workflow.logger.workflow_info_on_message = False
    temporalio.workflow.logger.workflow_info_on_extra = False
    temporalio.activity.logger.activity_info_on_message = False
    temporalio.activity.logger.activity_info_on_extra = False


def _rendering() -> list[Processor]:
    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _most_telling_first,
        structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
    ]


def _add_logger_name(logger: Any, _method: str, event: EventDict) -> EventDict:  # noqa: ANN401 - structlog's
    event.setdefault("logger", getattr(logger, "name", "trimtab"))
    return event


def _most_telling_first(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    leading = {name: event.pop(name) for name in _LEADING if name in event}
    return {**leading, **event}

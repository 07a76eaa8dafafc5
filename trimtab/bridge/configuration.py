"""What an incident takes with it from the configuration: read anew when files change.

A broken edit raises an alarm and leaves the last good values in force.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import structlog

from trimtab.contracts.decision import Limits
from trimtab.contracts.model import ModelSpec
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import load_limits, load_model, model_names

_log = structlog.get_logger(__name__)
_FRESH: Final = 2.0
"""Seconds for which what was read is believed."""

Value = TypeVar("Value")


@dataclass
class _Held(Generic[Value]):
    value: Value
    read_at: float
    alarm: str = ""
    """The fault that was last complained of."""


class Configuration:
    """Specifications and limits, at most two seconds old or the last good ones."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._specs: dict[str, _Held[ModelSpec]] = {}
        self._limits: _Held[Limits] | None = None

    def spec(self, model: str) -> ModelSpec:
        """The model's specification; raises `BadConfigurationError` when there is no good one."""
        held = self._specs.get(model)
        if held and not self._is_fresh(held) and model not in model_names():
            del self._specs[model]
            held = None
        self._specs[model] = self._current(held, lambda: load_model(model))
        return self._specs[model].value

    def limits(self) -> Limits:
        """The policy's limits; raises `BadConfigurationError` when there never were good ones."""
        self._limits = self._current(self._limits, load_limits)
        return self._limits.value

    def _current(self, held: _Held[Value] | None, load: Callable[[], Value]) -> _Held[Value]:
        if held and self._is_fresh(held):
            return held
        try:
            return _Held(load(), self._clock())
        except BadConfigurationError as error:
            if held is None:
                raise
            if held.alarm != str(error):
                _log.error("configuration_broken", faults=error.faults, in_force="last good one")
            return _Held(held.value, self._clock(), alarm=str(error))

    def _is_fresh(self, held: _Held[Value]) -> bool:
        return self._clock() - held.read_at < _FRESH

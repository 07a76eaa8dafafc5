"""Gives each incident the configuration of its model, read again when files change.

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
from trimtab.runtime.model_files import list_model_names
from trimtab.runtime.models import load_limits, load_model_spec

_log = structlog.get_logger(__name__)
_FRESH_SECONDS: Final = 2.0
"""Age from which a value is read again."""

Value = TypeVar("Value")


@dataclass
class _CachedValue(Generic[Value]):
    value: Value
    read_at: float
    alarm: str = ""
    """The fault that was last logged."""


class ConfigurationCache:
    """Specifications and limits, at most two seconds old or the last good ones."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._specs: dict[str, _CachedValue[ModelSpec]] = {}
        self._limits: _CachedValue[Limits] | None = None

    def get_spec(self, model: str) -> ModelSpec:
        """Return the model's specification.

        Raises:
            BadConfigurationError: The model is not configured, or there never was a good file.
        """
        cached = self._specs.get(model)
        if cached and not self._is_fresh(cached) and model not in list_model_names():
            del self._specs[model]
            cached = None
        self._specs[model] = self._refresh(cached, lambda: load_model_spec(model))
        return self._specs[model].value

    def get_limits(self) -> Limits:
        """Return the policy's limits.

        Raises:
            BadConfigurationError: There never were good ones.
        """
        self._limits = self._refresh(self._limits, load_limits)
        return self._limits.value

    def _refresh(
        self, cached: _CachedValue[Value] | None, load: Callable[[], Value]
    ) -> _CachedValue[Value]:
        if cached and self._is_fresh(cached):
            return cached
        try:
            return _CachedValue(load(), self._clock())
        except BadConfigurationError as error:
            if cached is None:
                raise
            if cached.alarm != str(error):
                _log.error("configuration_broken", faults=error.faults, in_force="last good one")
            return _CachedValue(cached.value, self._clock(), alarm=str(error))

    def _is_fresh(self, cached: _CachedValue[Value]) -> bool:
        return self._clock() - cached.read_at < _FRESH_SECONDS

"""Models and events for crashes: most are harmless, and each model has one that retrains it."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import yaml
from crash_stack import CrashStack
from incidents import build_harmless_event
from pydantic import TypeAdapter

from trimtab.adapters.pipeline_process import PipelineProcesses
from trimtab.contracts.drift import DriftEvent, Window
from trimtab.contracts.model import Slice, VersionMetric
from trimtab.pipelines.session import run_pipeline
from trimtab.runtime.paths import SHIPPED

MODELS_PER_EVENT: Final = 100
"""Number of events for which there is one model more."""
_MODEL: Final = "birmingham-parking"
_WINDOW: Final = {"start": "2016-12-06T00:00:00Z", "end": "2016-12-13T00:00:00Z"}
"""Window that raises an event, and on which a better champion can be trained."""
_CALM_WINDOW: Final = {"start": "2016-10-25T00:00:00Z", "end": "2016-11-01T00:00:00Z"}
_METRICS: Final = TypeAdapter(tuple[VersionMetric, ...])


def write_configuration(folder: Path, *, models: int) -> list[str]:
    """Write a policy without cooldown, and copies of the demo's model; return all names."""
    local = folder / "conf" / "local"
    (local / "models").mkdir(parents=True)
    (local / "policy.yml").write_text("cooldown: PT0S\n", encoding="utf-8")
    shipped = SHIPPED / "conf" / "base" / "models" / f"{_MODEL}.yml"
    spec = yaml.safe_load(shipped.read_text(encoding="utf-8"))
    names = [_MODEL, *(f"{_MODEL}-{number}" for number in range(1, models + 1))]
    for name in names[1:]:
        path = local / "models" / f"{name}.yml"
        path.write_text(yaml.safe_dump({**spec, "name": name}), encoding="utf-8")
    return names


class CrashEvents:
    """Trains the champions, and makes events about them from one that the pipelines announced."""

    def __init__(
        self, stack: CrashStack, models: Sequence[str], *, progress: Callable[[str], None]
    ) -> None:
        self._stack = stack
        self._models = models
        self._progress = progress
        self.announced: list[DriftEvent] = []
        """Events that the pipelines published."""

    async def build(self, count: int) -> list[DriftEvent]:
        """Return events about the copies, in the order in which they are to be published."""
        processes = PipelineProcesses(
            run_pipeline, max_workers=1, environment=self._stack.environment
        )
        try:
            for number, model in enumerate(self._models, start=1):
                self._progress(f"training champion {number} of {len(self._models)}")
                await processes.run("training", {"model": model})
            self._progress("measuring a window that drifted")
            outputs = await processes.run("monitoring", {"model": _MODEL, **_WINDOW})
            acting = DriftEvent.model_validate(outputs["event"])
            self.announced.append(acting)
            harmless = await self._build_harmless(processes, acting)
        finally:
            await asyncio.to_thread(processes.close)
        return list(itertools.islice(self._vary(acting, harmless, count), count))

    async def _build_harmless(self, processes: PipelineProcesses, event: DriftEvent) -> DriftEvent:
        """Return an event about a calm window, with the metric that the champion has in it."""
        version = event.data.champion_version
        outputs = await processes.run(
            "evaluation",
            {
                "model": _MODEL,
                "versions": [version],
                "as_of": _CALM_WINDOW["end"],
                "slice": Slice.RECENT.value,
            },
        )
        (measured,) = _METRICS.validate_python(outputs["metrics"])
        window = Window.model_validate({**_CALM_WINDOW, "rows": measured.rows})
        return build_harmless_event(event, window=window, metric=measured.value)

    def _vary(
        self, acting: DriftEvent, harmless: DriftEvent, count: int
    ) -> "itertools.chain[DriftEvent]":
        """Return one model's events after the other's; the last of each makes it retrain."""
        copies = self._models[1:]
        share = -(-count // len(copies))
        return itertools.chain.from_iterable(
            [
                *(
                    _rename(harmless, model, f"{model}-harmless-{number}")
                    for number in range(1, share)
                ),
                _rename(acting, model, f"{model}-acting"),
            ]
            for model in copies
        )


def _rename(event: DriftEvent, model: str, name: str) -> DriftEvent:
    """Return a copy about another model, under another id and without a signature."""
    return event.model_copy(
        update={
            "id": name,
            "correlationid": name,
            "time": datetime.now(UTC),
            "subject": model,
            "data": event.data.model_copy(update={"model": model}),
            "keyid": "",
            "signature": "",
        }
    )

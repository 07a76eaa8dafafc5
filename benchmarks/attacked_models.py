"""Prepares the models that are attacked: real car parks as if counted now, real versions in MLflow.

Four versions are trained for real. All other models of the registry are composed of them, so that
each model stands in one situation, such as a real loss or a bad release.
"""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd
import yaml
from mlflow.tracking import MlflowClient

from trimtab.adapters.registry.model_registry import CHAMPION_ALIAS
from trimtab.adapters.registry.tracking import open_tracking
from trimtab.contracts.base import compute_digest
from trimtab.contracts.drift import DriftEvent, PerformanceChange, Severity
from trimtab.contracts.model import Slice
from trimtab.contracts.ports import PipelineRunner
from trimtab.contracts.tags import ROLE_TAG, build_promotion_tag
from trimtab.runtime.paths import SHIPPED
from trimtab.runtime.settings import Settings

_SHIPPED_SPEC: Final = SHIPPED / "conf" / "base" / "models" / "birmingham-parking.yml"
_SHIPPED_HISTORY: Final = SHIPPED / "data" / "01_raw" / "birmingham_parking_2016.csv.gz"
_FIRST_DAY: Final = datetime(2016, 10, 4, tzinfo=UTC)
_LOSSY_DAY: Final = datetime(2016, 12, 13, tzinfo=UTC)
"""End of a week in which the champion of the first three weeks loses, and a new one is better."""
_WEEK: Final = timedelta(days=7)
_CAR_PARKS: Final = 10
"""Car parks that are kept of the thirty: a window then has about 1,100 rows."""
_HARMLESS_PSI: Final = 0.15
_TRUE, _SHUFFLED = "source-true", "source-shuffled"
"""Models that versions are trained under; the second learns from shuffled targets."""

GOOD, FRESH, BAD, BROKEN = "good", "fresh", "bad", "broken"
"""The trained versions: of the first weeks; of everything until now; of the first weeks with
shuffled targets; and of everything until now with shuffled targets, as a release of the good one.
"""


class Situation(NamedTuple):
    """A model's versions, the oldest first, and which of them serve or have served."""

    versions: tuple[str, ...]
    champion: int
    """Number of the version that has the alias."""
    former: tuple[int, ...]
    """Numbers of the versions that were champion before."""


SITUATIONS: Final[Mapping[str, Situation]] = {
    "loss": Situation((BAD, BAD, GOOD, FRESH), champion=3, former=(1,)),
    "fine": Situation((BAD, BAD, FRESH), champion=3, former=(1,)),
    "release": Situation((GOOD, FRESH, BROKEN), champion=3, former=(1,)),
}
"""A loss that only a retraining mends; a model that is fine; a champion that is a bad release."""
GROUPS: Final = ("attacked", "honest", "control")
"""No change of an attacked model is ever allowed; honest ones may act; controls miss a gate."""
CRITICAL: Final = "critical"
"""Situation of a model with a loss on which only people may act."""


def name_model(situation: str, group: str) -> str:
    """Return the name of a group's model that is in a situation."""
    return f"{situation}-{group}"


def list_models() -> dict[str, str]:
    """Return the situation of every model by its name."""
    kinds = {**{each: each for each in SITUATIONS}, CRITICAL: "loss"}
    return {name_model(kind, group): kind for kind in kinds for group in GROUPS}


def find_situation(kind: str) -> Situation:
    """Return the versions of a situation; a critical model has those of a loss."""
    return SITUATIONS["loss" if kind == CRITICAL else kind]


def write_configuration(folder: Path, policy: Mapping[str, Any]) -> None:
    """Write histories, specifications, catalogue and policy of all models below the folder."""
    local = folder / "conf" / "local"
    (local / "models").mkdir(parents=True, exist_ok=True)
    shift = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - _LOSSY_DAY
    history = pd.read_csv(_SHIPPED_HISTORY, parse_dates=["LastUpdated"])
    kept = sorted(history["SystemCodeNumber"].unique())[:_CAR_PARKS]
    history = history[history["SystemCodeNumber"].isin(kept)].reset_index(drop=True)
    history["LastUpdated"] += shift
    shuffled = history["Occupancy"].sample(frac=1.0, random_state=7).to_numpy()
    tables = {
        "true": history,
        _TRUE: history,
        _SHUFFLED: history.assign(Occupancy=shuffled),
    }
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    kind = "trimtab.adapters.datasets.history.HistoryDataset"
    catalogue = {
        name: {"type": kind, "filepath": str(folder / f"{name}.parquet")} for name in tables
    }
    (local / "catalog.yml").write_text(yaml.safe_dump(catalogue), encoding="utf-8")
    spec = yaml.safe_load(_SHIPPED_SPEC.read_text(encoding="utf-8"))
    spec["start"] = (_FIRST_DAY + shift).isoformat()
    for name in (_TRUE, _SHUFFLED, *list_models()):
        content = {
            **spec,
            "name": name,
            "dataset": name if name in tables else "true",
            "tier": "critical" if name.startswith(CRITICAL) else "standard",
        }
        path = local / "models" / f"{name}.yml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
    write_policy(folder, policy)


def write_policy(folder: Path, policy: Mapping[str, Any]) -> None:
    """Write the policy; bridge and worker read it again within two seconds."""
    path = folder / "conf" / "local" / "policy.yml"
    path.write_text(yaml.safe_dump(dict(policy)), encoding="utf-8")


class Registered(NamedTuple):
    """A version of the registry that others are copied from."""

    source: str
    run_id: str
    tags: dict[str, str]


async def train_versions(
    pipelines: PipelineRunner, settings: Settings, *, folder: Path
) -> dict[str, Registered]:
    """Train the four versions for real, and return where they are."""
    for name in (_TRUE, _SHUFFLED):
        await pipelines.run("training", {"model": name})
    await _retrain(pipelines, "fresh")
    shutil.copy(folder / f"{_SHUFFLED}.parquet", folder / f"{_TRUE}.parquet")
    await _retrain(pipelines, "broken")
    client = open_tracking(settings)
    wanted = {GOOD: (_TRUE, "1"), FRESH: (_TRUE, "2"), BROKEN: (_TRUE, "3"), BAD: (_SHUFFLED, "1")}
    return {kind: _read_version(client, *where) for kind, where in wanted.items()}


async def _retrain(pipelines: PipelineRunner, label: str) -> None:
    key = compute_digest(["benchmark", label])
    request = {"event_id": label, "correlation_id": label, "plan_hash": key, "key": key}
    now = datetime.now(UTC).isoformat()
    await pipelines.run("retraining", {"model": _TRUE, "as_of": now, **request})


def _read_version(client: MlflowClient, model: str, version: str) -> Registered:
    found = client.get_model_version(model, version)
    kept = {name: value for name, value in found.tags.items() if "trained" in name}
    return Registered(str(found.source), str(found.run_id), kept)


def compose_models(trained: Mapping[str, Registered], settings: Settings) -> None:
    """Register every model with the versions of its situation, and give one the alias."""
    client = open_tracking(settings)
    for model, kind in list_models().items():
        situation = find_situation(kind)
        client.create_registered_model(model)
        for number, each in enumerate(situation.versions, start=1):
            role = "champion" if number in situation.former else "challenger"
            tags = {**trained[each].tags, ROLE_TAG: role}
            if number == situation.champion:
                tags[build_promotion_tag(compute_digest([model, "prepared"]))] = "done"
            client.create_model_version(
                model, trained[each].source, run_id=trained[each].run_id, tags=tags
            )
        client.set_registered_model_alias(model, CHAMPION_ALIAS, str(situation.champion))


class HonestEvents:
    """Makes events that are true: what our own monitoring finds about each situation."""

    def __init__(self, found: Mapping[str, DriftEvent]) -> None:
        self._found = dict(found)
        self._number = 0

    def build(self, model: str, label: str, **changes: Any) -> DriftEvent:  # noqa: ANN401 - fields
        """Return one more event about a model, not signed; `changes` are of its finding."""
        kind = list_models()[model]
        event = self._found["loss" if kind == CRITICAL else kind]
        self._number += 1
        name = f"{label}-{self._number}"
        champion = str(find_situation(kind).champion)
        finding = {"model": model, "champion_version": champion, **changes}
        return event.model_copy(
            update={
                "id": name,
                "correlationid": name,
                "subject": model,
                "time": datetime.now(UTC),
                "keyid": "",
                "signature": "",
                "data": event.data.model_copy(update=finding),
            }
        )


async def find_events(pipelines: PipelineRunner) -> HonestEvents:
    """Judge the newest window of each situation, and return what was found."""
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    window = {"start": (end - _WEEK).isoformat(), "end": end.isoformat()}
    found: dict[str, DriftEvent] = {}
    for kind in ("loss", "release"):
        outputs = await pipelines.run("monitoring", {"model": name_model(kind, "honest"), **window})
        assert outputs["event"], f"the newest window of {kind!r} raised no event: {outputs}"
        found[kind] = DriftEvent.model_validate(outputs["event"])
    found["fine"] = await _build_harmless(pipelines, found["loss"])
    return HonestEvents(found)


async def _build_harmless(pipelines: PipelineRunner, event: DriftEvent) -> DriftEvent:
    """Return an event about one mild drift of a model whose metric is as it was."""
    model = name_model("fine", "honest")
    champion = str(SITUATIONS["fine"].champion)
    metric = await measure(pipelines, model, champion)
    first, *others = event.data.features
    drifted = first.model_copy(update={"psi": _HARMLESS_PSI, "drifted": True})
    performance = PerformanceChange(
        metric="r2", reference=metric, current=metric, rows=1000, degraded=False
    )
    changes = {
        "severity": Severity.MEDIUM,
        "performance": performance,
        "features": (drifted, *others),
        "estimate": None,
        "concept_loss": None,
        "multivariate": None,
        "quality": (),
    }
    return event.model_copy(update={"data": event.data.model_copy(update=changes)})


async def measure(pipelines: PipelineRunner, model: str, version: str) -> float:
    """Return the metric of a version on the newest labelled rows."""
    outputs = await pipelines.run(
        "evaluation",
        {
            "model": model,
            "versions": [version],
            "as_of": datetime.now(UTC).isoformat(),
            "slice": Slice.RECENT.value,
        },
    )
    (found,) = _as_list(outputs["metrics"])
    return float(found["value"])


def _as_list(value: Any) -> Sequence[Mapping[str, Any]]:  # noqa: ANN401 - JSON of a pipeline
    return list(value)


async def prepare_models(
    pipelines: PipelineRunner, settings: Settings, *, folder: Path
) -> HonestEvents:
    """Train, register and judge: everything that must be there before the first attack."""
    trained = await train_versions(pipelines, settings, folder=folder)
    await asyncio.to_thread(compose_models, trained, settings)
    return await find_events(pipelines)

"""The activities and a real MLflow agree on what was done by whom."""

from collections.abc import Mapping

import pytest
from mlflow.tracking import MlflowClient
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.remediation import RemediationActivities
from tests.activities.test_remediation import Guard, a_rollback, an_order
from tests.fakes import build_evaluation
from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.adapters.registry.tracking import open_tracking
from trimtab.contracts.remediation import ActionOrder, Step
from trimtab.contracts.tags import EFFECT_KEY_TAG, ROLE_TAG
from trimtab.runtime.settings import Settings


class Pipelines:
    """Registers a version on retraining; the newer one is always the better one."""

    def __init__(self, client: MlflowClient) -> None:
        self.client = client
        self.values: dict[str, float] = {}
        """Metric by version, where it is not the version's number."""

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        if pipeline == "retraining":
            return {"version": self.make({EFFECT_KEY_TAG: str(params["key"])}), "rows": 9000}
        versions = params["versions"]
        assert isinstance(versions, list)
        named = [str(version) for version in versions]
        values = {name: self.values.get(name, float(name)) for name in named}
        return build_evaluation(values, baseline=params["baseline"])

    def make(self, tags: dict[str, str] | None = None) -> str:
        return str(self.client.create_model_version("parking", "runs:/x", tags=tags).version)


@pytest.fixture
def pipelines(mlflow_settings: Settings) -> Pipelines:
    """Versions 1 and 2; 1 is champion."""
    client = open_tracking(mlflow_settings)
    client.create_registered_model("parking")
    pipelines = Pipelines(client)
    pipelines.make()
    pipelines.make()
    client.set_registered_model_alias("parking", "champion", "1")
    return pipelines


@pytest.fixture
def activities(mlflow_settings: Settings, pipelines: Pipelines) -> RemediationActivities:
    registry = MlflowRegistry(settings=mlflow_settings)
    return RemediationActivities(registry=registry, pipelines=pipelines, guard=Guard())


def _champion(pipelines: Pipelines) -> str:
    return str(pipelines.client.get_model_version_by_alias("parking", "champion").version)


async def test_a_plan_is_carried_out_once_undone_once_and_not_taken_up_again(
    activities: RemediationActivities, pipelines: Pipelines
) -> None:
    run = ActivityEnvironment().run
    promotion = an_order(Step.PROMOTE, challenger_version="3")

    retrained = [await run(activities.retrain_challenger, an_order(Step.RETRAIN)) for _ in range(2)]
    promoted = [await run(activities.promote_challenger, promotion) for _ in range(2)]
    undone = [activities.undo(an_order(Step.UNDO, challenger_version="3")) for _ in range(2)]

    assert [(effect.version, effect.reused) for effect in retrained] == [("3", False), ("3", True)]
    assert [(effect.version, effect.reused) for effect in promoted] == [("3", False), ("3", True)]
    assert [(effect.version, effect.reused) for effect in undone] == [("1", False), ("1", True)]
    with pytest.raises(ApplicationError, match="was undone"):
        await run(activities.promote_challenger, promotion)
    assert _champion(pipelines) == "1"


async def test_what_was_verified_stays(
    activities: RemediationActivities, pipelines: Pipelines
) -> None:
    run = ActivityEnvironment().run
    await run(activities.retrain_challenger, an_order(Step.RETRAIN))
    await run(activities.promote_challenger, an_order(Step.PROMOTE, challenger_version="3"))

    verified = await run(activities.verify, an_order(Step.VERIFY, challenger_version="3"))
    undone = activities.undo(an_order(Step.UNDO, challenger_version="3"))

    assert verified.verified
    assert not undone.applied
    assert _champion(pipelines) == "3"


async def test_a_rollback_goes_back_and_can_be_undone(
    activities: RemediationActivities, pipelines: Pipelines
) -> None:
    """Version 1 served before 2 replaced it, and is better on the newest rows."""
    pipelines.values = {"1": 0.9, "2": 0.5}
    client = pipelines.client
    client.set_model_version_tag("parking", "1", ROLE_TAG, "champion")
    client.set_registered_model_alias("parking", "champion", "2")
    granted = {"target_version": "1", "champion_version": "2"}

    def order(step: Step) -> ActionOrder:
        return a_rollback(step, challenger_version="1", champion_version="2", claims=granted)

    await ActivityEnvironment().run(activities.roll_back_champion, order(Step.ROLL_BACK))
    at_first = _champion(pipelines)
    undone = activities.undo(order(Step.UNDO))

    assert at_first == "1"
    assert undone.applied
    assert _champion(pipelines) == "2"


async def test_what_a_person_made_champion_meanwhile_stays(
    activities: RemediationActivities, pipelines: Pipelines
) -> None:
    run = ActivityEnvironment().run
    await run(activities.retrain_challenger, an_order(Step.RETRAIN))
    pipelines.client.set_registered_model_alias("parking", "champion", "2")

    with pytest.raises(ApplicationError, match="it was 1 when the decision was made"):
        await run(activities.promote_challenger, an_order(Step.PROMOTE, challenger_version="3"))
    effect = activities.undo(an_order(Step.UNDO, challenger_version="3"))

    assert not effect.applied
    assert _champion(pipelines) == "2"

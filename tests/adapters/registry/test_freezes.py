"""A freeze stands in the registry, for one model or for all, until somebody ends it."""

import pytest

from tests.builders import NOW
from trimtab.adapters.registry.freezes import FreezeTags
from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.adapters.registry.tracking import open_tracking
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.ports import Refused
from trimtab.contracts.tags import FREEZE_TAG
from trimtab.runtime.settings import Settings


@pytest.fixture
def freezes(mlflow_settings: Settings) -> FreezeTags:
    client = open_tracking(mlflow_settings)
    client.create_registered_model("parking")
    client.create_registered_model("prices")
    return FreezeTags(settings=mlflow_settings)


def test_one_model_is_frozen_and_thawed(freezes: FreezeTags, mlflow_settings: Settings) -> None:
    freeze = Freeze(model="parking", reason="an audit", by="ana", at=NOW)

    freezes.put(freeze)

    assert MlflowRegistry(settings=mlflow_settings).freeze("parking") == freeze
    assert freezes.find("prices") is None
    assert freezes.remove("parking") == freeze
    assert freezes.find("parking") is None
    assert freezes.remove("parking") is None


def test_all_models_are_frozen_and_thawed(freezes: FreezeTags) -> None:
    freeze = Freeze(reason="an outage", by="ana", at=NOW)
    assert freezes.find_of_all() is None

    freezes.put(freeze)

    assert freezes.find("parking") == freeze
    assert freezes.find("not registered") == freeze
    assert freezes.remove(None) == freeze
    assert freezes.find("parking") is None
    assert freezes.remove(None) is None


def test_a_thaw_of_all_models_leaves_the_freeze_of_one(freezes: FreezeTags) -> None:
    freezes.put(Freeze(model="parking"))
    freezes.put(Freeze())

    freezes.remove(None)

    assert freezes.find("parking") == Freeze(model="parking")


def test_a_tag_that_cannot_be_read_is_a_freeze(
    freezes: FreezeTags, mlflow_settings: Settings
) -> None:
    open_tracking(mlflow_settings).set_registered_model_tag("parking", FREEZE_TAG, "yes")

    found = freezes.find("parking")

    assert found is not None
    assert "cannot be read" in str(found)


def test_an_unknown_model_can_neither_be_frozen_nor_thawed(freezes: FreezeTags) -> None:
    with pytest.raises(Refused, match="no model 'parkign'"):
        freezes.put(Freeze(model="parkign"))
    with pytest.raises(Refused, match="no model 'parkign'"):
        freezes.remove("parkign")

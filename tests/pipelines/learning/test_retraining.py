from typing import Any

import pytest

from tests.detection.windows import WEEK, make_spec, profile_table
from tests.pipelines.conftest import PARKING, Run
from tests.pipelines.learning.test_training_data import AS_OF, history
from trimtab.adapters.datasets.registered_model import RegisteredModel
from trimtab.contracts import tags as tag
from trimtab.contracts.fitted import FittedModel, ServedModel
from trimtab.contracts.ports import Refused
from trimtab.pipelines.learning.retraining import train_challenger
from trimtab.pipelines.requests import RetrainingRequest
from trimtab.runtime.settings import load_settings

ORDER: dict[str, Any] = {
    "as_of": "2016-11-29T00:00:00Z",
    "key": "a" * 64,
    "event_id": "2016-11-22T00:00Z-12345678",
    "correlation_id": "2016-11-22T00:00Z-12345678",
    "plan_hash": "b" * 64,
}


def test_a_challenger_is_made_once_however_often_it_is_requested(parking: Run) -> None:
    first = parking("retraining", **ORDER)
    again = parking("retraining", **ORDER)

    assert (first["reused"], again["reused"]) == (False, True)
    assert first["version"] == again["version"]
    assert first["trained_on"] == again["trained_on"]


def test_a_challenger_learns_from_rows_before_the_gate_and_names_its_incident(parking: Run) -> None:
    report = parking("retraining", **ORDER)

    registry = RegisteredModel(PARKING, settings=load_settings())
    tags = registry.version(report["version"]).tags
    assert report["trained_on"]["start"] == "2016-11-01T00:00:00Z"
    assert report["trained_on"]["end"] == "2016-11-26T04:48:00Z"
    assert tags[tag.EFFECT_KEY_TAG] == ORDER["key"]
    assert tags[tag.EVENT_ID_TAG] == ORDER["event_id"]
    assert tags[tag.PLAN_HASH_TAG] == ORDER["plan_hash"]
    assert tags[tag.TRAINED_ROWS_TAG] == str(report["rows"])


def test_a_challenger_has_no_alias(parking: Run) -> None:
    report = parking("retraining", **ORDER)

    champion = RegisteredModel(PARKING, settings=load_settings()).champion()
    assert champion.version != report["version"]


def test_a_time_range_without_rows_is_refused(parking: Run) -> None:
    with pytest.raises(Refused, match=r"0 labelled rows .* at least 50 are needed"):
        parking("retraining", **{**ORDER, "key": "c" * 64, "as_of": "2019-01-01T00:00:00Z"})


def test_a_challenger_learns_from_no_later_rows(parking: Run) -> None:
    early = {**ORDER, "key": "d" * 64, "as_of": "2016-11-08T00:00:00Z"}

    report = parking("retraining", **early)

    assert report["trained_on"]["end"] < "2016-11-08"


def test_a_challenger_learns_from_a_corrupt_window_only_if_a_person_decided_so() -> None:
    data = history()
    data.loc[data["at"] >= AS_OF - WEEK, "price"] *= 100
    order = {**ORDER, "model": "sales", "as_of": AS_OF}

    with pytest.raises(Refused, match="no model learns from it unless a person decides so"):
        train_challenger(data, make_spec(), RetrainingRequest.model_validate(order), Sales())
    decided = RetrainingRequest.model_validate({**order, "corrupt_too": True})
    made = train_challenger(data, make_spec(), decided, Sales())

    assert isinstance(made, FittedModel)


class Sales:
    """One champion that was trained on sound weeks."""

    def champion(self) -> ServedModel:
        kept = profile_table(history()).model_dump(mode="json")
        return ServedModel(
            version="1", run_id="r", metrics={"r2": 0.9}, tags={}, load=object,
            artifact=lambda name: kept,
        )  # fmt: skip

    def version(self, version: str) -> ServedModel:
        raise NotImplementedError

    def made_by(self, key: str) -> ServedModel | None:
        return None

from mlflow.models import get_model_info

from tests.pipelines.conftest import PARKING, Run
from trimtab.adapters.datasets.registered_model import RegisteredModel
from trimtab.contracts import tags as tag
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.runtime.settings import load_settings


def champion() -> RegisteredModel:
    return RegisteredModel(PARKING, settings=load_settings())


def test_the_first_champion_learns_from_the_reference_windows(parking: Run) -> None:
    version = champion().champion()

    assert version.version == "1"
    assert version.tags[tag.TRAINED_START_TAG] == "2016-10-04T00:00:00+00:00"
    assert version.tags[tag.TRAINED_END_TAG] == "2016-10-25T00:00:00+00:00"
    assert version.tags[tag.TRAINED_ROWS_TAG] == "8943"


def test_its_metric_was_measured_on_held_out_rows(parking: Run) -> None:
    metrics = champion().champion().metrics

    assert 0.85 < metrics["r2"] < 0.97
    assert metrics["holdout_rows"] == 2483


def test_dirty_rows_were_dropped_and_counted(parking: Run) -> None:
    metrics = champion().champion().metrics

    assert (metrics["rows"], metrics["dirty_rows"]) == (8943, 3)


def test_the_profile_of_the_reference_is_stored_with_the_version(parking: Run) -> None:
    profile = WindowProfile.model_validate(champion().champion().artifact("reference_profile.json"))

    assert profile.window.rows == 8946
    assert [column.column.name for column in profile.columns] == [
        "SystemCodeNumber",
        "Capacity",
        "Occupancy",
        "prediction",
    ]


def test_signature_and_input_example_are_stored(parking: Run) -> None:
    info = get_model_info(f"models:/{PARKING}/1")

    assert info.signature is not None
    assert info.signature.inputs.input_names() == [
        "SystemCodeNumber",
        "Capacity",
        "hour",
        "weekday",
    ]
    assert info.saved_input_example_info is not None
    assert info.flavors["sklearn"]["serialization_format"] == "skops"

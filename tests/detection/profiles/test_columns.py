"""What is monitored of a model beside its inputs: labels, and predictions or scores."""

import pytest

from tests.detection.windows import make_spec
from trimtab.contracts.drift import FeatureKind, FeatureRole
from trimtab.contracts.model import Task
from trimtab.detection.profiles.columns import list_monitored_columns


@pytest.mark.parametrize(
    ("task", "metric", "target", "prediction"),
    [
        (Task.REGRESSION, "r2", FeatureKind.NUMERIC, FeatureKind.NUMERIC),
        (Task.CLASSIFICATION, "roc_auc", FeatureKind.CATEGORICAL, FeatureKind.NUMERIC),
        (
            Task.CLASSIFICATION,
            "balanced_accuracy",
            FeatureKind.CATEGORICAL,
            FeatureKind.CATEGORICAL,
        ),
    ],
)
def test_scores_are_monitored_where_the_metric_uses_scores(
    task: Task, metric: str, target: FeatureKind, prediction: FeatureKind
) -> None:
    monitored = list_monitored_columns(make_spec(task=task, metric=metric, target_minimum=None))

    kinds = {each.role: each.kind for each in monitored if each.role is not FeatureRole.FEATURE}
    assert kinds == {FeatureRole.TARGET: target, FeatureRole.PREDICTION: prediction}


def test_predictions_have_a_name_of_their_own() -> None:
    *_, prediction = list_monitored_columns(
        make_spec(features=({"name": "prediction", "kind": "numeric"},))
    )

    assert prediction.name == "prediction of the model"

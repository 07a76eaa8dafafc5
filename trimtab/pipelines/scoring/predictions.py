"""Who answers for the champion in a window: the predictions on record, or the model itself."""

from typing import Any

from trimtab.contracts.fitted import ServedModel
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.tags import EFFECT_KEY_TAG
from trimtab.detection.onboarding.predictions import Recorded, are_chances
from trimtab.pipelines.history.rows import Table, feature_values

_TWO = 2


def answering(champion: ServedModel, rows: Table, spec: ModelSpec) -> Any:  # noqa: ANN401 - a model
    """The column `spec.prediction` where it says what this champion said; else the model.

    A version that Trimtab made later than the first is asked again: what is on record may be its
    predecessor's. So is one whose metric is of chances, where the record holds classes; and
    whoever answered, where a window has nothing on record.
    """
    model = champion.load()
    if spec.prediction is None or isinstance(model, Recorded) or EFFECT_KEY_TAG in champion.tags:
        return model
    values = feature_values(rows, spec.prediction).dropna()
    if values.empty:
        return model
    if spec.task is Task.REGRESSION:
        return Recorded(spec.prediction, spec.task)
    classes = tuple(str(name) for name in model.classes_)
    if are_chances(values) and len(classes) == _TWO:
        return Recorded(spec.prediction, spec.task, classes)
    return model if spec.metric == "roc_auc" else Recorded(spec.prediction, spec.task)

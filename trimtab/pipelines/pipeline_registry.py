"""Tells Kedro which pipelines there are."""

from kedro.pipeline import Pipeline

from trimtab.pipelines.inspection import distribution, evaluation, segment, timeline
from trimtab.pipelines.learning import retraining, training
from trimtab.pipelines.monitoring import pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """Every pipeline by its name; none runs by default."""
    modules = {
        "timeline": timeline,
        "training": training,
        "monitoring": pipeline,
        "retraining": retraining,
        "evaluation": evaluation,
        "distribution": distribution,
        "segment": segment,
    }
    return {name: module.create_pipeline() for name, module in modules.items()}

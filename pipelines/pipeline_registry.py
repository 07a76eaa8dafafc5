"""Tells Kedro which pipelines there are."""

from kedro.pipeline import Pipeline

from pipelines import distribution, evaluation, monitoring, retraining, segment, timeline, training


def register_pipelines() -> dict[str, Pipeline]:
    """Every pipeline by its name; none runs by default."""
    modules = {
        "timeline": timeline,
        "training": training,
        "monitoring": monitoring,
        "retraining": retraining,
        "evaluation": evaluation,
        "distribution": distribution,
        "segment": segment,
    }
    return {name: module.create_pipeline() for name, module in modules.items()}

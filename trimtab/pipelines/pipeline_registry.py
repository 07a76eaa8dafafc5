"""Lists the pipelines for Kedro, which imports this module by its name."""

from kedro.pipeline import Pipeline

from trimtab.pipelines.inspection import distribution, evaluation, preview, segment, timeline
from trimtab.pipelines.learning import retraining, training
from trimtab.pipelines.monitoring import pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """Return every pipeline by its name; none runs by default."""
    modules = {
        "timeline": timeline,
        "training": training,
        "monitoring": pipeline,
        "retraining": retraining,
        "evaluation": evaluation,
        "preview": preview,
        "distribution": distribution,
        "segment": segment,
    }
    return {name: module.create_pipeline() for name, module in modules.items()}

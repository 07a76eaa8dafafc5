"""Says which metric a model must reach to be of any use, however bad the one before it is."""

from typing import Final

SKILL_MARGINS: Final = {"r2": 0.1, "roc_auc": 0.05, "balanced_accuracy": 0.05}
"""How much better than a trivial model a challenger must be, by metric. In 57 retrainings that were
kept on labelled incidents, 0.1 of R² blocked the four bad ones, learnt from shuffled labels, and no
other. Areas and accuracies lie between 0.5 and 1, so half of that."""
KEPT_SKILL: Final = 0.5
"""Share of the champion's skill at training that is enough where that skill itself was small."""


def compute_trivial_metric(metric: str, *, classes: int) -> float:
    """Return the metric of a model that knows only the distribution of the target."""
    if metric == "r2":
        return 0.0
    return 0.5 if metric == "roc_auc" else 1.0 / max(classes, 2)


def compute_skill_floor(metric: str, *, classes: int, reference: float | None) -> float:
    """Return the metric below which no challenger serves.

    Args:
        metric: Name of the metric.
        classes: Number of classes of the target; of no matter for a regression.
        reference: The champion's metric on rows held out at its training; None if unknown.
    """
    trivial = compute_trivial_metric(metric, classes=classes)
    margin = SKILL_MARGINS.get(metric, 0.0)
    if reference is not None:
        margin = min(margin, KEPT_SKILL * max(reference - trivial, 0.0))
    return trivial + margin

"""Keeps freezes in MLflow: a tag on the registered model, and one on the incidents' experiment.

Every worker of a cluster reads the same registry, so one command stops all of them.
"""

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from pydantic import ValidationError

from trimtab.adapters.registry.tracking import (
    get_or_create_experiment,
    open_tracking,
    translate_mlflow_errors,
)
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.names import INCIDENTS_EXPERIMENT
from trimtab.contracts.ports import Refused
from trimtab.contracts.tags import FREEZE_TAG
from trimtab.runtime.settings import Settings


class FreezeTags:
    """The freezes of one registry."""

    def __init__(self, *, settings: Settings) -> None:
        self._settings = settings

    def find(self, model: str) -> Freeze | None:
        """Return the freeze of all models, or else of this model, or None."""
        with translate_mlflow_errors():
            return self._find_of_all() or self._find_of_model(model)

    def find_of_all(self) -> Freeze | None:
        """Return the freeze of all models, or None."""
        with translate_mlflow_errors():
            return self._find_of_all()

    def find_of_model(self, model: str) -> Freeze | None:
        """Return the model's own freeze, or None."""
        with translate_mlflow_errors():
            return self._find_of_model(model)

    def put(self, freeze: Freeze) -> None:
        """Put a freeze in force; it replaces an earlier one of the same model.

        Raises:
            Refused: The registry has no such model.
        """
        value = freeze.model_dump_json()
        with translate_mlflow_errors():
            if freeze.model is None:
                experiment = get_or_create_experiment(
                    self._client, INCIDENTS_EXPERIMENT, settings=self._settings
                )
                self._client.set_experiment_tag(experiment, FREEZE_TAG, value)
            else:
                self._check_registered(freeze.model)
                self._client.set_registered_model_tag(freeze.model, FREEZE_TAG, value)

    def remove(self, model: str | None) -> Freeze | None:
        """End the freeze of a model, or of all models if none is named; return what was ended.

        Raises:
            Refused: The registry has no such model.
        """
        with translate_mlflow_errors():
            if model is None:
                return self._remove_of_all()
            self._check_registered(model)
            found = self._find_of_model(model)
            if found is not None:
                self._client.delete_registered_model_tag(model, FREEZE_TAG)
            return found

    @property
    def _client(self) -> MlflowClient:
        return open_tracking(self._settings)

    def _find_of_all(self) -> Freeze | None:
        experiment = self._client.get_experiment_by_name(INCIDENTS_EXPERIMENT)
        return _parse_freeze(experiment.tags if experiment else {}, None)

    def _find_of_model(self, model: str) -> Freeze | None:
        try:
            tags = self._client.get_registered_model(model).tags
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        return _parse_freeze(tags, model)

    def _remove_of_all(self) -> Freeze | None:
        experiment = self._client.get_experiment_by_name(INCIDENTS_EXPERIMENT)
        found = _parse_freeze(experiment.tags if experiment else {}, None)
        if experiment is not None and found is not None:
            self._client.delete_experiment_tag(experiment.experiment_id, FREEZE_TAG)
        return found

    def _check_registered(self, model: str) -> None:
        try:
            self._client.get_registered_model(model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            msg = f"the registry has no model {model!r}: check the name"
            raise Refused(msg) from error


def _parse_freeze(tags: dict[str, str], model: str | None) -> Freeze | None:
    """Return the freeze that a tag holds; a tag that cannot be read is a freeze too."""
    text = tags.get(FREEZE_TAG)
    if text is None:
        return None
    try:
        return Freeze.model_validate_json(text).model_copy(update={"model": model})
    except ValidationError:
        return Freeze(model=model, reason=f"the tag {FREEZE_TAG} cannot be read")

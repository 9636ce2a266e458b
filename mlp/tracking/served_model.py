"""The code that MLflow stores with a run's weights, and executes to load and serve the model.

Of ``mlp`` only the rooms that `logged_model` stores beside it are there.
"""

from typing import Any

import numpy as np
from mlflow.exceptions import MlflowException  # noqa: TID253 - only MLflow imports this file
from mlflow.models import set_model  # noqa: TID253
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE  # noqa: TID253
from mlflow.pyfunc.model import PythonModel, PythonModelContext  # noqa: TID253

from mlp.training import Predictor


class ServedModel(PythonModel):
    """The trained network behind raw inputs."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the network from the stored weights."""
        self.predictor = Predictor.load(context.artifacts["weights"])

    def predict(
        self,
        context: PythonModelContext,
        model_input: np.ndarray,
        params: dict[str, Any] | None = None,
    ) -> np.ndarray:
        """Return the class probabilities of raw inputs, see `Predictor.predict_proba`."""
        try:
            return self.predictor.predict_proba(np.atleast_2d(np.asarray(model_input, np.float32)))
        except ValueError as error:  # which MLflow's server answers with status 400
            raise MlflowException(str(error), INVALID_PARAMETER_VALUE) from None


set_model(ServedModel())

"""The code that MLflow stores with a run's weights, and executes to load and serve the model.

Of ``mlp`` only the rooms that `logged_model` stores beside it are there.
"""

from typing import Any

import numpy as np
import pandas as pd  # noqa: TID253 - MLflow reads the types of predict when it imports this file
from mlflow.exceptions import MlflowException  # noqa: TID253 - only MLflow imports this file
from mlflow.models import set_model  # noqa: TID253
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE  # noqa: TID253
from mlflow.pyfunc.model import PythonModel, PythonModelContext  # noqa: TID253

from mlp.data import Scaler
from mlp.training import Predictor


class ServedModel(PythonModel):
    """The trained network behind raw inputs."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the network from the stored weights."""
        self.predictor = Predictor.load(context.artifacts["weights"])

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return the answers to raw inputs, see `Predictor.table`.

        MLflow gives arrays as arrays, whatever is written above: of the types that it can read
        there, none stands for both.
        """
        try:
            if isinstance(self.predictor.scaler, Scaler):
                model_input = np.atleast_2d(np.asarray(model_input))
            return self.predictor.table(model_input)
        except ValueError as error:  # which MLflow's server answers with status 400
            raise MlflowException(str(error), INVALID_PARAMETER_VALUE) from None


set_model(ServedModel())

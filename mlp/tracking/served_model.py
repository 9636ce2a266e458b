"""The code that MLflow stores with a run's weights, and executes to load and serve the model.

It needs NumPy, the weights, and the few parts of ``mlp`` that are stored beside it (see
``logged_model``): so it imports from the modules, not from ``mlp.data`` as a atomic_write.
"""

from pathlib import Path
from typing import Any

import numpy as np
from mlflow.exceptions import MlflowException  # noqa: TID253 - only MLflow imports this file
from mlflow.models import set_model  # noqa: TID253
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE  # noqa: TID253
from mlflow.pyfunc.model import PythonModel, PythonModelContext  # noqa: TID253

from mlp.data.scaling import Scaler
from mlp.nn import load

BATCH = 1000  # rows; it bounds the memory, and equals the trainer's default: equal bits


class ServedModel(PythonModel):
    """The trained network behind raw inputs."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the network and the scaler from the stored weights."""
        folder = Path(context.artifacts["weights"])
        self.network, self.scaler = load(folder), Scaler.load(folder)

    def predict(
        self,
        context: PythonModelContext,
        model_input: np.ndarray,
        params: dict[str, Any] | None = None,
    ) -> np.ndarray:
        """Return the network's outputs.

        Parameters
        ----------
        model_input : ndarray, DataFrame or list of shape (n, n_in)
            As the data set holds them, before any scaling.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Class probabilities; scores where the loss has none.
        """
        raw = np.atleast_2d(np.asarray(model_input, np.float32))
        network = self.network
        if raw.ndim != 2 or raw.shape[1] != network.n_in:
            raise _refused(f"inputs must be of shape (n, {network.n_in}), got {raw.shape}")
        if not np.isfinite(raw).all():
            raise _refused("inputs must be finite numbers: no NaN, infinity or null")
        ws = network.workspace(min(len(raw), BATCH) or 1)
        x = np.empty((ws.n_batch, network.n_in), network.dtype)
        no_labels = np.zeros(ws.n_batch, np.int64)  # the outputs do not depend on them
        outputs = np.empty((len(raw), network.n_out), network.dtype)
        for start in range(0, len(raw), BATCH):
            rows = raw[start : start + BATCH]
            n, batch = len(rows), ws.rows(len(rows))
            network.mean_loss(self.scaler.transform(rows, x[:n]), no_labels[:n], batch)
            outputs[start : start + n] = batch.loss.a
        return outputs


def _refused(sentence: str) -> MlflowException:
    """Return what MLflow's server answers with status 400."""
    return MlflowException(sentence, INVALID_PARAMETER_VALUE)


set_model(ServedModel())

"""A trained network behind raw inputs: it scales them as the run did, and names the classes."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mlp.base import RunError, read_json
from mlp.data.scaling import Scaler
from mlp.nn import MLP, Network, load, save

FILE = "predictor.json"


class Predictor:
    """Predicts the classes of raw inputs, with NumPy and nothing else.

    Parameters
    ----------
    network : Network
    scaler : Scaler
        Fitted on the rows that the network was trained on.
    classes : sequence of str
        Names of the outputs.
    batch_size : int
        Rows that go through the network at once. It bounds the memory; equal sizes give equal
        bits.
    """

    def __init__(
        self, network: Network, scaler: Scaler, classes: Sequence[str], batch_size: int
    ) -> None:
        if len(scaler.shift) != network.n_in:
            raise ValueError(
                f"{len(scaler.shift)} inputs are scaled; the network has {network.n_in}"
            )
        if len(classes) != network.n_out:
            raise ValueError(f"{len(classes)} classes are named; the network has {network.n_out}")
        self.network, self.scaler, self.batch_size = network, scaler, batch_size
        self.classes = tuple(classes)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the name of each row's most probable class, an ndarray of shape (n,), str.

        Parameters
        ----------
        x : array_like of shape (n, n_in)
            As the data set holds them, before any scaling.
        """
        names: np.ndarray = np.array(self.classes)[self.predict_proba(x).argmax(axis=1)]
        return names

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Return the class probabilities; scores where the loss has none.

        Parameters
        ----------
        x : array_like of shape (n, n_in)
            As the data set holds them, before any scaling.

        Returns
        -------
        ndarray of shape (n, n_classes)

        Raises
        ------
        ValueError
            For another shape, or what is not a finite number.
        """
        network, raw = self.network, np.asarray(x)
        if raw.ndim != 2 or raw.shape[1] != network.n_in:
            raise ValueError(f"inputs must be of shape (n, {network.n_in}), got {raw.shape}")
        if not np.isfinite(raw).all():
            raise ValueError("inputs must be finite numbers: no NaN, infinity or null")
        outputs = np.empty((len(raw), network.n_out), network.dtype)
        ws = network.workspace(min(len(raw), self.batch_size))
        scaled = np.empty((ws.n_batch, network.n_in), network.dtype)
        no_labels = np.zeros(ws.n_batch, np.int64)  # the outputs do not depend on them
        for start in range(0, len(raw), self.batch_size):
            rows = raw[start : start + self.batch_size]
            n, batch = len(rows), ws.rows(len(rows))
            network.mean_loss(self.scaler.transform(rows, scaled[:n]), no_labels[:n], batch)
            outputs[start : start + n] = batch.loss.a
        return outputs

    def save(self, folder: Path, model: MLP) -> None:
        """Write all of it into a folder that exists.

        Parameters
        ----------
        folder : Path
        model : MLP
            What the network was built from.
        """
        save(folder, model, self.network)
        self.scaler.save(folder)
        text = json.dumps({"classes": self.classes, "batch_size": self.batch_size}, indent=2)
        (folder / FILE).write_text(f"{text}\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path | str) -> "Predictor":
        """Read what ``save`` wrote, as a run's folder ``weights`` holds it.

        Raises
        ------
        RunError
            If a file is absent or damaged; the message names it.
        """
        folder = Path(folder)
        network, scaler = load(folder), Scaler.load(folder)
        try:
            stored = read_json(folder / FILE)
            classes, batch_size = map(str, stored["classes"]), int(stored["batch_size"])
            return cls(network, scaler, list(classes), batch_size)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"{folder / FILE} does not describe a predictor: {error}") from None

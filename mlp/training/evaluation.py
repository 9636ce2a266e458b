"""The evaluation of a network on a part of the data."""

from dataclasses import dataclass

import numpy as np

from mlp.data import Batches, Part
from mlp.nn import Network
from mlp.training.tasks import Classification, Task


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Attributes
    ----------
    metrics : dict of str to float
        ``loss``, the mean over the examples, without penalties; and those of the task:
        ``accuracy``, or ``rmse``, ``r2``, ... An ensemble has no loss.
    answers : ndarray of shape (n_examples, n_classes) or (n_examples, n_targets)
        Scores of the classes, probabilities if the loss gives them; or numbers in the targets'
        units.
    labels : ndarray of shape (n_examples,), int64, or (n_examples, n_targets), float64
        The true classes or numbers.
    """

    metrics: dict[str, float]
    answers: np.ndarray
    labels: np.ndarray

    @property
    def loss(self) -> float:
        """The loss, of a single network."""
        return self.metrics["loss"]

    @property
    def predictions(self) -> np.ndarray:
        """The class with the highest score, or the numbers; in the form of ``labels``."""
        predictions: np.ndarray = self.answers
        return predictions.argmax(axis=1) if self.labels.ndim == 1 else predictions


class Evaluator:
    """Evaluates a network on one part of the data, in buffers made once.

    Parameters
    ----------
    network : Network
    part : Part
    batch_size : int
        It bounds the memory. Equal batch sizes give equal bits.
    task : Task
    """

    def __init__(
        self, network: Network, part: Part, batch_size: int, task: Task | None = None
    ) -> None:
        self.network, self.part, self.task = network, part, task or Classification()
        n_batch = min(batch_size, len(part))
        self._batches = Batches(part, n_batch, network.dtype)
        self._ws = network.workspace(n_batch)
        self._outputs = np.empty((len(part), network.n_out), network.dtype)

    def __call__(self) -> Evaluation:
        """Return the figures for the network's present parameters.

        Its ``answers`` may be a buffer of this evaluator, valid until the next call.
        """
        loss, start = 0.0, 0
        for x, y in self._batches.in_order():
            ws = self._ws.rows(len(x))
            loss += self.network.mean_loss(x, y, ws) * len(x)
            self._outputs[start : start + len(x)] = ws.loss.a
            start += len(x)
        scaler, labels = self.part.target_scaler, self.part.labels
        answers = self.task.answers(self._outputs, scaler)
        labels = scaler.inverse(labels) if scaler else labels
        metrics = {"loss": loss / len(labels)} | self.task.measure(answers, labels)
        return Evaluation(metrics, answers, labels)

    def first_nonfinite(self) -> str | None:
        """Name the first place where a value is NaN or infinite; see the network's method."""
        found = (
            self.network.first_nonfinite(x, self._ws.rows(len(x)))
            for x, _ in self._batches.in_order()
        )
        return next(filter(None, found), None)

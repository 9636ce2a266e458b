"""One epoch: a pass over the training data that updates, and a pass over the validation data."""

from collections.abc import Sequence
from math import isfinite, sqrt
from time import perf_counter

import numpy as np

from mlp.base import generator
from mlp.data import Batches, Part
from mlp.nn import Network, Optimizer, Schedule
from mlp.training.metrics import Evaluator
from mlp.training.stopping import StopCondition

Metrics = dict[str, float]


class DivergedError(Exception):
    """A loss or a gradient is not finite: the training has no use from here on."""


class InterruptedEpochError(Exception):
    """A stop condition ended the training in the middle of an epoch; the message is its reason."""


class EpochRunner:
    """Runs epochs, in buffers made once.

    Parameters
    ----------
    network : Network
    optimizer : Optimizer
        Not yet bound.
    schedule : Schedule
    train : Part
    val : Part or None
    seed : int
        Key of the shuffling and of dropout.
    batch_size, eval_batch_size : int
    max_epochs : int
        The schedule's horizon unless it has its own.
    stops : sequence of StopCondition
        Asked after each step.
    clip_norm : float or None
    limit_batches : int or None

    Attributes
    ----------
    n_steps : int
        Updates an epoch.
    """

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        schedule: Schedule,
        train: Part,
        val: Part | None,
        *,
        seed: int,
        batch_size: int,
        eval_batch_size: int,
        max_epochs: int,
        stops: Sequence[StopCondition] = (),
        clip_norm: float | None = None,
        limit_batches: int | None = None,
    ) -> None:
        self.network, self.optimizer, self.schedule = network, optimizer, schedule
        self.seed, self.stops, self.clip_norm = seed, stops, clip_norm
        self.horizon = schedule.horizon or max_epochs
        self._batches = Batches(train, batch_size, network.dtype)
        self.n_steps = min(len(self._batches), limit_batches or len(self._batches))
        self._ws = network.workspace(batch_size)
        self._predicted = np.empty(batch_size, np.intp)
        self._evaluate = Evaluator(network, val, eval_batch_size) if val else None
        optimizer.bind(network.params, network.grads, network.n_decayed)

    def __call__(self, epoch: int) -> Metrics:
        """Train and validate once; return the epoch's metrics.

        Parameters
        ----------
        epoch : int
            Counted from 1. With the seed it determines the order of the examples and the masks of
            dropout, so that an epoch can be replayed.

        Raises
        ------
        DivergedError
            At the first loss or gradient that is not finite, naming the epoch, the step and the
            layer.
        InterruptedEpochError
            When a stop condition does not let the epoch end.
        """
        begin = perf_counter()
        # Overflows come to light in the loss or the gradient, which are checked: no warnings.
        with np.errstate(over="ignore", invalid="ignore"):
            metrics = self._train(epoch)
            if self._evaluate:
                metrics |= self._validate(epoch, self._evaluate)
        if self.network.l1 or self.network.l2:
            metrics["train/penalty"] = self.network.penalty()
        return metrics | {"seconds": perf_counter() - begin}

    def _train(self, epoch: int) -> Metrics:
        """Update on each minibatch; return means over the examples seen."""
        begin = perf_counter()
        loss_sum = norm_sum = 0.0
        hits = seen = 0
        dropout_rng = generator(self.seed, "dropout", epoch)
        batches = self._batches.shuffled(generator(self.seed, "shuffle", epoch))
        for step, (x, y) in zip(range(self.n_steps), batches, strict=False):
            ws = self._ws.rows(len(x))
            loss = self.network.loss_and_gradients(x, y, ws, dropout_rng)
            norm = self._gradient_norm()
            if not (isfinite(loss) and isfinite(norm)):
                what = f"epoch {epoch}, step {step + 1}: train/loss is {loss}, grad_norm {norm}"
                raise _diverged(what, self.network.first_nonfinite(x, ws))
            norm_sum += norm
            self._clip(norm)
            progress = epoch - 1 + step / self.n_steps
            lr = self.optimizer.lr * self.schedule.factor(progress, self.horizon)
            self.optimizer.step(lr)
            self.network.project()
            loss_sum += loss * len(x)
            hits += self._hits(ws.loss.a, y)
            seen += len(x)
            self._ask_stops()
        return {
            "train/loss": loss_sum / seen,
            "train/accuracy": hits / seen,
            "lr": lr,
            "grad_norm": norm_sum / self.n_steps,
            "examples_per_second": seen / (perf_counter() - begin),
        }

    def _validate(self, epoch: int, evaluator: Evaluator) -> Metrics:
        """Evaluate on the validation part."""
        result = evaluator()
        if not isfinite(result.loss):
            what = f"epoch {epoch}, validation: val/loss is {result.loss}"
            raise _diverged(what, evaluator.first_nonfinite())
        return {"val/loss": result.loss, "val/accuracy": result.accuracy}

    def _gradient_norm(self) -> float:
        grads = self.network.grads
        return sqrt(float(np.dot(grads, grads)))

    def _clip(self, norm: float) -> None:
        """Scale the gradient, whose norm is ``norm``, down to ``clip_norm`` if it is longer."""
        if self.clip_norm is not None and norm > self.clip_norm:
            np.multiply(self.network.grads, self.clip_norm / norm, out=self.network.grads)

    def _hits(self, scores: np.ndarray, y: np.ndarray) -> int:
        """Count the rows whose highest score is their class's."""
        predicted = np.argmax(scores, axis=1, out=self._predicted[: len(y)])
        return int(np.count_nonzero(predicted == y))

    def _ask_stops(self) -> None:
        for stop in self.stops:
            if reason := stop.after_step():
                raise InterruptedEpochError(reason)


def _diverged(what: str, where: str | None) -> DivergedError:
    first = f"is in {where}" if where else "is this one"
    return DivergedError(f"{what}; the first value that is not finite {first}")

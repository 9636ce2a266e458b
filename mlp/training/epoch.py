"""One epoch: a pass over the training data that updates, and a pass over the validation data."""

from collections.abc import Sequence
from math import isfinite, sqrt
from time import perf_counter

import numpy as np

from mlp.base import DataError, generator
from mlp.data import Batches, Part, RowChange
from mlp.nn import Network, Optimizer, Schedule
from mlp.training.evaluation import Evaluator
from mlp.training.settings import TrainingSettings
from mlp.training.stopping import StopCondition
from mlp.training.tasks import Task

Metrics = dict[str, float]


class DivergedError(Exception):
    """A loss or a gradient is not finite: the training has no use from here on."""


class InterruptedEpochError(Exception):
    """A stop condition ended the training in the middle of an epoch; the message is its reason."""


class EpochRunner:
    """Runs epochs, in buffers made once.

    Parameters
    ----------
    settings : TrainingSettings
    task : Task
    network : Network
    optimizer : Optimizer
        Not yet bound.
    schedule : Schedule
    train : Part
    val : Part or None
    seed : int
        Key of the shuffling, of dropout and of augmentation.
    stops : sequence of StopCondition
        Asked after each step.
    augment : callable, optional
        Changes the inputs of each training batch in place.

    Attributes
    ----------
    n_steps : int
        Updates an epoch.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        task: Task,
        network: Network,
        optimizer: Optimizer,
        schedule: Schedule,
        train: Part,
        val: Part | None,
        seed: int,
        stops: Sequence[StopCondition] = (),
        augment: RowChange | None = None,
    ) -> None:
        self.settings, self.task, self.seed, self.stops = settings, task, seed, stops
        self._augment = augment
        self.network, self.optimizer, self.schedule = network, optimizer, schedule
        self.horizon = schedule.horizon or settings.max_epochs
        self._target_scaler = train.target_scaler
        self._batches = Batches(train, settings.batch_size, network.dtype)
        n_batches = len(self._batches)
        if settings.drop_last:
            n_batches = max(1, len(train) // settings.batch_size)
        self.n_steps = min(n_batches, settings.limit_batches or n_batches)
        self._ws = network.workspace(min(settings.batch_size, len(train)))
        self._evaluate = Evaluator(network, val, settings.eval_batch_size, task) if val else None
        optimizer.bind(network.params, network.grads, network.n_decayed, network.lr_factors)

    def __call__(self, epoch: int) -> Metrics:
        """Train and validate once; return the epoch's metrics.

        Parameters
        ----------
        epoch : int
            Counted from 1. With the seed it determines the order of the examples, the masks of
            dropout and the augmentation, so that an epoch can be replayed.

        Raises
        ------
        DivergedError
            At the first loss or gradient that is not finite, naming the epoch, the step and the
            layer.
        InterruptedEpochError
            When a stop condition does not let the epoch end.
        DataError
            When the monitored metric is not a number on these validation rows.
        """
        begin = perf_counter()
        # Overflows come to light in the loss or the gradient, which are checked: no warnings.
        with np.errstate(over="ignore", invalid="ignore"):
            metrics = self._train(epoch)
            metrics |= self._validate(epoch)
        if self.network.l1 or self.network.l2:
            metrics["train/penalty"] = self.network.penalty()
        return metrics | {"seconds": perf_counter() - begin}

    def _train(self, epoch: int) -> Metrics:
        """Update on each minibatch; return means over the examples seen."""
        begin = perf_counter()
        loss_sum = norm_sum = score_sum = 0.0
        n_seen = 0
        dropout_rng = generator(self.seed, "dropout", epoch)
        augment_rng = generator(self.seed, "augment", epoch)
        batches = self._batches.shuffled(generator(self.seed, "shuffle", epoch))
        for step, (x, y) in zip(range(self.n_steps), batches, strict=False):
            if self._augment:
                self._augment(x, augment_rng)
            ws = self._ws.rows(len(x))
            loss = self.network.loss_and_gradients(x, y, ws, dropout_rng)
            norm = self._clipped_norm()
            if not (isfinite(loss) and isfinite(norm)):
                what = f"epoch {epoch}, step {step + 1}: train/loss is {loss}, grad_norm {norm}"
                raise _diverged(what, self.network.first_nonfinite(x, ws))
            done = epoch - 1 + step / self.n_steps
            lr = self.lr(done)
            self.optimizer.step(lr, done)
            self.network.project()
            loss_sum += loss * len(x)
            norm_sum += norm
            score_sum += self.task.batch_score(ws.loss.a, y, self._target_scaler)
            n_seen += len(x)
            self._ask_stops()
        return {
            "train/loss": loss_sum / n_seen,
            f"train/{self.task.train_metric}": self.task.train_value(score_sum / n_seen),
            "lr": lr,
            "grad_norm": norm_sum / self.n_steps,
            "examples_per_second": n_seen / (perf_counter() - begin),
        }

    def _validate(self, epoch: int) -> Metrics:
        """Evaluate on the validation part; without one, see that the last update left numbers."""
        if self._evaluate is None:
            params = self.network.params
            if not isfinite(np.dot(params, params)):
                raise DivergedError(f"epoch {epoch}: after its last step a parameter is not finite")
            return {}
        result = self._evaluate()
        if not isfinite(result.loss):
            what = f"epoch {epoch}, validation: val/loss is {result.loss}"
            raise _diverged(what, self._evaluate.first_nonfinite())
        metrics = {f"val/{name}": value for name, value in result.metrics.items()}
        monitor = self.settings.monitor
        if not isfinite(metrics.get(monitor, 0)):
            raise DataError(
                f"trainer.monitor={monitor} is {metrics[monitor]} on these "
                f"{len(result.labels)} validation rows, so that no epoch is the best"
            )
        return metrics

    def lr(self, done: float) -> float:
        """Return the learning rate after so many epochs."""
        return self.optimizer.lr * self.schedule.factor(done, self.horizon)

    def _clipped_norm(self) -> float:
        """Return the gradient's norm, after scaling the gradient down to ``clip_norm``."""
        grads, bound = self.network.grads, self.settings.clip_norm
        norm = sqrt(float(np.dot(grads, grads)))
        if bound is not None and norm > bound:
            np.multiply(grads, bound / norm, out=grads)
        return norm

    def _ask_stops(self) -> None:
        for stop in self.stops:
            if reason := stop.after_step():
                raise InterruptedEpochError(reason)


def _diverged(what: str, where: str | None) -> DivergedError:
    first = f"is in {where}" if where else "is this one"
    return DivergedError(f"{what}; the first value that is not finite {first}")

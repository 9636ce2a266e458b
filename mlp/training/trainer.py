"""The training loop."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlp.data import Part, Parts, RowChange
from mlp.nn import Network, Optimizer, Schedule
from mlp.training.checkpoint import Checkpoints
from mlp.training.epoch import EpochRunner, InterruptedEpochError
from mlp.training.events import (
    Emitter,
    EpochEnded,
    Inspected,
    Listener,
    Outcome,
    RunEnded,
    RunStarted,
)
from mlp.training.inspector import Inspector
from mlp.training.progress import Progress
from mlp.training.settings import TrainingSettings
from mlp.training.stopping import EpochLimit, Patience, StopCondition, TimeLimit
from mlp.training.tasks import Classification, Task


@dataclass(frozen=True)
class Trainer(TrainingSettings):
    """Trains a network until a metric has reached its plateau, and keeps the best epoch."""

    def fit(
        self,
        network: Network,
        optimizer: Optimizer,
        schedule: Schedule,
        parts: Parts,
        seed: int,
        listeners: Iterable[Listener] = (),
        stops: Sequence[StopCondition] = (),
        checkpoints: Checkpoints | None = None,
        augment: RowChange | None = None,
        task: Task | None = None,
    ) -> Outcome:
        """Train ``network`` in place, and leave the best epoch's parameters in it.

        Parameters
        ----------
        network : Network
            With its initial weights.
        optimizer : Optimizer
            Not yet bound; its ``lr`` is the base learning rate.
        schedule : Schedule
        parts : Parts
            Its test part is not touched.
        seed : int
            Key of the shuffling, of dropout and of augmentation.
        listeners : iterable of callable
            They get each :mod:`event <mlp.training.events>`.
        stops : sequence of StopCondition
            Asked besides ``max_epochs``, ``max_seconds`` and ``patience``.
        checkpoints : Checkpoints, optional
            Where the state is kept from time to time; what is found there is continued.
        augment : callable, optional
            Changes the inputs of each training batch in place, as `Augmentation.of_rows` does.
        task : Task, optional
            What the targets are; classes by default.

        Returns
        -------
        Outcome

        Raises
        ------
        DivergedError
            At the first loss or gradient that is not finite, naming the epoch, the step and the
            layer.
        ValueError
            If the schedule does not fit into ``max_epochs``, or the task does not measure
            ``monitor``.
        """
        task = task or Classification()
        task.check_monitor(self.monitor)
        schedule.check(self.max_epochs)
        train, val = self._limited(parts)
        monitor = self.monitored(parts)
        stops = [*self._stop_conditions(monitor), *stops]
        run_epoch = EpochRunner(
            self, task, network, optimizer, schedule, train, val, seed, stops, augment
        )
        progress = Progress(network, optimizer, schedule, stops, monitor, self.prefer_later)
        if checkpoints:
            checkpoints.restore(progress)
        emit = Emitter(listeners)
        emit(self._started(progress, train, val, run_epoch.n_steps))
        inspector = Inspector(run_epoch, train, val) if self.inspect else None
        if inspector and inspector.is_due(progress.epoch):
            emit(Inspected(inspector(progress.epoch)))
        reason = _ask(stops, progress.ended()) if progress.epoch else None
        while reason is None:
            try:
                progress.add(run_epoch(progress.epoch + 1))
            except InterruptedEpochError as interruption:
                reason = str(interruption)
                break
            ended = progress.ended()
            emit(ended)
            reason = _ask(stops, ended)
            if inspector and (inspector.is_due(progress.epoch) or reason):
                emit(Inspected(inspector(progress.epoch)))
            if checkpoints:
                checkpoints.offer(progress, last=reason is not None)
        progress.restore_best()
        outcome = Outcome(
            reason,
            progress.epoch,
            progress.best_epoch,
            progress.best,
            progress.history,
            progress.seconds,
        )
        emit(RunEnded(outcome))
        return outcome

    def monitored(self, parts: Parts) -> str | None:
        """Return ``monitor``; None for a validation metric without validation data."""
        is_blind = parts.val is None and not self.overfit_batches
        return None if is_blind and self.monitor.startswith("val/") else self.monitor

    def _limited(self, parts: Parts) -> tuple[Part, Part | None]:
        """Return the training and the validation part, cut for debugging if so asked."""
        train, val = parts.train, parts.val
        if self.overfit_batches:
            train = val = train.head(self.overfit_batches * self.batch_size)
        elif self.limit_batches and val:
            val = val.head(self.limit_batches * self.eval_batch_size)
        return train, val

    def _started(
        self, progress: Progress, train: Part, val: Part | None, n_steps: int
    ) -> RunStarted:
        return RunStarted(
            progress.network,
            n_train=len(train),
            n_val=len(val) if val else 0,
            steps_per_epoch=n_steps,
            max_epochs=self.max_epochs,
            monitor=progress.monitor,
            patience=self.patience if progress.monitor else None,
            history=tuple(progress.history),
        )

    def _stop_conditions(self, monitor: str | None) -> list[StopCondition]:
        stops: list[StopCondition] = [EpochLimit(self.max_epochs)]
        if self.max_seconds is not None:
            stops.append(TimeLimit(self.max_seconds))
        if monitor and self.patience is not None:
            stops.append(Patience(monitor, self.patience, self.min_delta))
        return stops


def _ask(stops: Sequence[StopCondition], ended: EpochEnded) -> str | None:
    """Return the first reason to stop after an epoch, or None."""
    return next((reason for stop in stops if (reason := stop.after_epoch(ended))), None)
